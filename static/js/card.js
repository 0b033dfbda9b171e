// Comfort on the transaction card: copying and printing.
"use strict";

const said = document.getElementById("said");

async function copyValue(button) {
  try {
    await navigator.clipboard.writeText(button.dataset.copyValue);
  } catch {
    // Not allowed here: the person copies what is selected.
    getSelection().selectAllChildren(button.parentElement);
    said.textContent = "The text is selected: copy it with your keyboard.";
    return;
  }
  said.textContent = "Copied.";
  button.classList.add("done");
  setTimeout(() => {
    button.classList.remove("done");
    said.textContent = "";
  }, 1500);
}

document.addEventListener("click", (event) => {
  const button = event.target.closest("[data-copy-value]");
  if (button) copyValue(button);
  if (event.target.closest("[data-print]")) print();
});
