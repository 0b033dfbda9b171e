// Selecting rows of the list: how many, ranges, a key, and the page. Without this file the boxes work alone.
"use strict";

{
  const boxes = () => [...document.querySelectorAll('#list [name="row"]')];
  const find = (selector) => document.querySelector(`#list ${selector}`);
  let last = null;

  const say = () => {
    const all = boxes();
    const ticked = all.filter((box) => box.checked).length;
    const [page, everything, said] = [find('[name="page"]'), find('[name="everything"]'), find("#selected")];
    if (!page || !said) return;
    page.checked = all.length > 0 && ticked === all.length;
    page.indeterminate = ticked > 0 && !page.checked;
    const whole = find(".bulk-all");
    if (whole) whole.hidden = !page.checked;
    if (everything && !page.checked) everything.checked = false;
    const number = everything?.checked ? Number(everything.value) : ticked;
    said.textContent = number ? `${number.toLocaleString("en")} selected` : "";
    const rows = number ? `${number.toLocaleString("en")} row${number === 1 ? "" : "s"}` : "the selected rows";
    for (const each of document.querySelectorAll("#list [data-selected]")) each.textContent = rows;
  };

  const range = (from, to, checked) => {
    const all = boxes();
    const ends = [all.indexOf(from), all.indexOf(to)].sort((a, b) => a - b);
    if (ends[0] >= 0) for (const box of all.slice(ends[0], ends[1] + 1)) box.checked = checked;
  };

  // A click on the label comes once for the label and once for the box: only the latter counts.
  document.addEventListener("click", (event) => {
    const box = event.target;
    if (box.matches('#list [name="row"]')) {
      if (event.shiftKey && last) range(last, box, box.checked);
      last = box;
      say();
    }
    if (box.id === "select-none") {
      for (const each of boxes()) each.checked = false;
      say();
      boxes()[0]?.focus();
    }
  });

  // Shift and a click would select the text in between as well.
  document.addEventListener("mousedown", (event) => {
    if (event.shiftKey && event.target.closest(".cell-select")) event.preventDefault();
  });

  document.addEventListener("change", (event) => {
    if (event.target.matches('#list [name="page"]')) for (const box of boxes()) box.checked = event.target.checked;
    if (event.target.closest("#list")) say();
  });

  document.addEventListener("keydown", (event) => {
    if (event.key !== "x" || event.ctrlKey || event.metaKey || event.altKey) return;
    if (event.target.closest("input:not([type=checkbox]), select, textarea, dialog")) return;
    const box = document.activeElement.closest("#list tr")?.querySelector('[name="row"]');
    if (!box) return;
    event.preventDefault();
    box.checked = !box.checked;
    last = box;
    say();
  });

  // Other rows, or the rows of a page that the browser has kept.
  document.addEventListener("htmx:afterSettle", say);
  window.addEventListener("pageshow", say);
  say();
}
