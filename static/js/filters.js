// A period and dates exclude each other: what was chosen last counts. Before htmx reads the form.
"use strict";

document.addEventListener(
  "change",
  ({ target }) => {
    const fields = document.getElementById("filters").elements;
    if (!target.value || target.form !== fields.q.form) return;
    if (target.name === "period") fields.from.value = fields.to.value = "";
    if (target.name === "from" || target.name === "to") fields.period.value = "";
  },
  { capture: true },
);
