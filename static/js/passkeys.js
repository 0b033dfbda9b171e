// Passkeys: what the server asks goes to the browser, and the browser's answer goes back in a form.
"use strict";

const passkey = {
  async add(form) {
    const options = asked();
    const alone = form.elements.passwordless?.checked ?? false;
    const wanted = options.publicKey.authenticatorSelection;
    wanted.residentKey = alone ? "required" : "discouraged";
    wanted.requireResidentKey = alone;
    if (alone) wanted.userVerification = "required";
    return webauthnJSON.create(options);
  },
  async use() {
    return webauthnJSON.get(asked());
  },
  async signIn(form) {
    const answer = await fetch(form.action, { headers: { Accept: "application/json" } });
    if (!answer.ok) throw new Error("too many tries");
    return webauthnJSON.get((await answer.json()).request_options);
  },
};

function asked() {
  const data = JSON.parse(document.getElementById("passkey-options").textContent);
  return data.creation_options ?? data.request_options;
}

for (const form of document.querySelectorAll("[data-passkey]")) {
  const button = form.querySelector("[data-passkey-button]");
  const trouble = form.querySelector("[data-passkey-trouble]");
  if (!webauthnJSON.supported()) {
    button.disabled = true;
    trouble.hidden = false;
    trouble.textContent = "This browser, or an address without HTTPS, does not allow passkeys.";
    continue;
  }
  button.addEventListener("click", async () => {
    trouble.hidden = true;
    try {
      form.elements.credential.value = JSON.stringify(await passkey[form.dataset.passkey](form));
    } catch {
      trouble.hidden = false;
      trouble.textContent = "That did not work: it was canceled, took too long, or this passkey is not the right one.";
      return;
    }
    form.submit();
  });
}
