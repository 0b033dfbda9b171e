// The list: new payments announce themselves, and the row that was opened is found again.
"use strict";

{
  const LOOK_EVERY = 20_000;
  const title = document.title;

  const look = () => {
    if (!document.hidden) htmx.trigger("#newer", "look");
  };
  const lookIfThere = () => document.getElementById("newer") && look();
  setInterval(lookIfThere, LOOK_EVERY);
  document.addEventListener("visibilitychange", lookIfThere);

  document.addEventListener("htmx:afterSwap", (event) => {
    const number = document.querySelector("[data-new]")?.dataset.new;
    document.title = number ? `(${number} new) ${title}` : title;
    // Who asked to see the new ones stands at the newest.
    if (event.detail.target.id === "list" && event.detail.requestConfig?.elt.matches("[data-new]")) {
      document.querySelector("[data-row]")?.focus({ preventScroll: true });
    }
  });

  document.addEventListener("click", (event) => {
    const row = event.target.closest("[data-row]");
    if (row) sessionStorage.setItem("row", row.id);
  });

  window.addEventListener("pageshow", (event) => {
    const [arrival] = performance.getEntriesByType("navigation");
    if (!event.persisted && arrival?.type !== "back_forward") return;
    document.getElementById(sessionStorage.getItem("row"))?.focus({ preventScroll: true });
  });
}
