// Comfort on top of pages that work without it: dialogs, keys, copying, and what htmx needs to be told.
"use strict";

document.documentElement.classList.add("scripted");

document.querySelector(".nav [aria-current]")?.scrollIntoView({ block: "nearest", inline: "center" });

const dialog = document.getElementById("dialog");
const rows = () => [...document.querySelectorAll("[data-row]")].filter((row) => row.offsetParent);

// Empty filters stay out of the address.
const dropEmpty = (data) => {
  for (const [name, value] of [...data]) if (value === "") data.delete(name);
};
document.addEventListener("formdata", (event) => event.target.method === "get" && dropEmpty(event.formData));
document.addEventListener("htmx:configRequest", (event) => {
  if (event.detail.verb === "get") dropEmpty(event.detail.formData);
});

// A form that acts is sent once, however often its button is pressed.
document.addEventListener("submit", (event) => {
  const form = event.target;
  if (form.method !== "post") return;
  if (form.dataset.sent) event.preventDefault();
  form.dataset.sent = "yes";
});

// Back from the next page: its forms may be sent again.
window.addEventListener("pageshow", () => {
  for (const form of document.querySelectorAll("[data-sent]")) delete form.dataset.sent;
});

document.addEventListener("click", (event) => {
  const on = (selector) => event.target.closest(selector);
  for (const menu of document.querySelectorAll(".menu[open]")) if (!menu.contains(event.target)) menu.open = false;
  if (on("[aria-disabled=true]")) event.preventDefault();
  if (on("[data-open]")) document.getElementById(on("[data-open]").dataset.open).showModal();
  if (on("[data-copy]")) copy(on("[data-copy]"));
  if (on("tbody tr") && !on("a, button, summary, label")) on("tr").querySelector("[data-row]")?.dispatchEvent(new MouseEvent("click", event));
  const box = on("dialog");
  if (box && (event.target === box || on("[data-close]"))) {
    event.preventDefault();
    box.close();
  }
});

async function copy(button) {
  await navigator.clipboard.writeText(document.getElementById(button.dataset.copy).textContent.trim());
  const said = button.textContent;
  button.textContent = "Copied";
  setTimeout(() => (button.textContent = said), 1500);
}

function move(step) {
  const all = rows();
  const here = all.indexOf(document.activeElement.closest("tr")?.querySelector("[data-row]"));
  const next = all[here < 0 ? 0 : Math.min(Math.max(here + step, 0), all.length - 1)];
  next?.focus();
  next?.closest("tr").scrollIntoView({ block: "nearest" });
  return next;
}

// Asks for the act on this row or card; what is greyed is focused instead, which says why.
function act(key, id) {
  const link = document.activeElement.closest("tr")?.querySelector(`[data-key="${key}"]`) ?? document.getElementById(id);
  if (link?.getAttribute("aria-disabled") === "true") return link;
  link?.click();
  return link && document.activeElement;
}

const keys = {
  "/": () => document.getElementById("id_q"),
  "?": () => document.getElementById("keys"),
  f: () => act("f", "fulfil"),
  r: () => act("r", "refund"),
  j: () => move(1),
  k: () => move(-1),
  ArrowDown: () => document.activeElement.matches("[data-row]") && move(1),
  ArrowUp: () => document.activeElement.matches("[data-row]") && move(-1),
};

document.addEventListener("keydown", (event) => {
  if (event.key === "Escape") for (const menu of document.querySelectorAll(".menu[open]")) menu.open = false;
  if (event.ctrlKey || event.metaKey || event.altKey || document.querySelector("dialog[open]")) return;
  if (event.target.closest("input:not([type=checkbox]), select, textarea") || !Object.hasOwn(keys, event.key)) return;
  const found = keys[event.key]();
  if (!found) return;
  event.preventDefault();
  if (found instanceof HTMLDialogElement) found.showModal();
  else found.focus();
});

// Questions open as a dialog; without this file they are pages of their own.
document.addEventListener("htmx:afterSwap", (event) => {
  if (event.detail.target !== dialog) return;
  if (!dialog.open) dialog.showModal();
  // What is wrong may stand below the edge.
  const wrong = dialog.querySelector("[aria-invalid=true]");
  wrong?.focus({ preventScroll: true });
  wrong?.closest(".field")?.scrollIntoView({ block: "center" });
});
dialog?.addEventListener("close", () => dialog.replaceChildren());

// Signed out meanwhile: the whole page goes to the sign-in, not a part of it.
document.addEventListener("htmx:beforeSwap", (event) => {
  const { xhr, requestConfig } = event.detail;
  const moved = new URL(xhr.responseURL).pathname !== new URL(requestConfig.path, location.href).pathname;
  if (moved || (xhr.status >= 400 && event.detail.target === dialog)) {
    event.detail.shouldSwap = false;
    location.assign(event.detail.target === dialog ? requestConfig.path : location.href);
  }
});

const trouble = document.getElementById("trouble");
for (const name of ["htmx:sendError", "htmx:responseError", "htmx:timeout"]) {
  document.addEventListener(name, () => (trouble.hidden = false));
}
document.addEventListener("htmx:afterOnLoad", (event) => (trouble.hidden = event.detail.xhr.status < 400));
