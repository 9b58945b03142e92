"use strict";
(() => {
  const read = (id) => JSON.parse(document.getElementById(id).textContent);
  const facts = read("trials");
  const trials = new Map(facts.trials.map((trial) => [trial.number, trial]));
  const panel = document.getElementById("chosen");
  const element = (name, text, className) => {
    const made = document.createElement(name);
    if (text !== undefined) made.textContent = text;
    if (className) made.className = className;
    return made;
  };

  // The panel beside the front: one design with its drawing, values and recipe.
  const drawing = (digest) => {
    const holder = element("div", undefined, "drawing");
    const template = document.getElementById("drawing-" + digest);
    const card = document.querySelector(`[data-drawing="${CSS.escape(digest)}"] svg`);
    if (template) holder.append(template.content.cloneNode(true));
    else if (card) holder.append(card.cloneNode(true));
    else holder.append(element("p", "No drawing: the formula says it all.", "nodrawing"));
    return holder;
  };
  const formula = (text) => {
    const [streams, ...rest] = text.split("\n");
    const made = element("pre");
    made.append(rest.length ? element("span", streams, "streams") : streams, rest.map((line) => "\n" + line).join(""));
    return made;
  };
  const values = (entries) => {
    const list = element("dl", undefined, "values");
    for (const [name, value, spread] of entries) {
      const box = element("div");
      const amount = element("dd", value);
      if (spread) amount.append(element("small", " ± " + spread));
      box.append(element("dt", facts.names[name]), amount);
      list.append(box);
    }
    return list;
  };
  const show = (number) => {
    const trial = trials.get(number);
    if (!trial || !panel) return;
    const header = element("header");
    header.append(element("h3", "Trial " + number));
    for (const [kind, text] of trial.pills) header.append(element("span", text, "pill " + kind));
    header.append(element("code", trial.digest, "digest"));
    const parts = [header];
    if (trial.formula) parts.push(drawing(trial.digest), formula(trial.formula));
    if (trial.labels) parts.push(element("p", trial.labels, "labels"));
    if (trial.reason) parts.push(element("p", trial.reason));
    parts.push(values(trial.values));
    if (trial.recipe.length) {
      const more = element("details");
      more.open = true;
      more.append(element("summary", "Recipe"), values(trial.recipe));
      parts.push(more);
    }
    panel.replaceChildren(...parts);
    const figure = document.getElementById("front-figure");
    if (figure.data) Plotly.Plots.resize(figure); // the card beside a taller panel is taller
    for (const row of document.querySelectorAll("tr.chosen")) row.classList.remove("chosen");
    document.querySelector(`tr[data-trial="${number}"]`)?.classList.add("chosen");
  };

  if (panel?.dataset.first) show(Number(panel.dataset.first));

  // Figures follow the colours of the page.
  const dark = matchMedia("(prefers-color-scheme: dark)");
  const colour = (name) => getComputedStyle(document.documentElement).getPropertyValue(name).trim();
  const themed = (layout) => ({
    ...layout,
    height: undefined, // the page decides
    modebar: {bgcolor: "rgba(0,0,0,0)", color: colour("--grey"), activecolor: colour("--blue")},
    font: {...layout.font, color: colour("--ink")},
    hoverlabel: {bgcolor: colour("--paper"), bordercolor: colour("--line"), font: {color: colour("--ink"), size: 13}, align: "left"},
  });
  const settings = {
    responsive: true,
    displaylogo: false,
    modeBarButtonsToRemove: ["select2d", "lasso2d", "autoScale2d"],
    showSendToCloud: false, // plotly.js offers by default to send the figure to its makers
    plotlyServerURL: "",
  };
  const draw = (holder) => {
    const figure = read(holder.dataset.figure);
    Plotly.react(holder, figure.data, themed(figure.layout), settings);
    if (holder.dataset.listens) return;
    holder.dataset.listens = "yes";
    holder.on("plotly_click", (event) => {
      const number = event.points.map((point) => point.customdata).find((value) => typeof value === "number");
      if (number !== undefined) show(number);
    });
  };
  const figures = [...document.querySelectorAll("[data-figure]")];
  figures.forEach(draw);
  dark.addEventListener("change", () => figures.forEach(draw));
  document.getElementById("pair")?.addEventListener("change", (event) => {
    const holder = document.getElementById("front-figure");
    holder.dataset.figure = event.target.value;
    draw(holder);
  });

  // The table of trials: sort by a column, filter by words and by kind.
  const table = document.getElementById("table");
  if (table) {
    const body = table.tBodies[0];
    const rows = [...body.rows];
    const words = document.getElementById("words");
    const kind = document.getElementById("kind");
    const shown = document.getElementById("shown");
    const filter = () => {
      const wanted = words.value.toLowerCase().split(/\s+/).filter(Boolean);
      let count = 0;
      for (const row of rows) {
        const text = row.textContent.toLowerCase();
        const fits = wanted.every((word) => text.includes(word)) && (!kind.value || row.dataset.kinds.split(" ").includes(kind.value));
        row.hidden = !fits;
        count += fits;
      }
      shown.textContent = `${count} of ${rows.length} trials`;
    };
    words.addEventListener("input", filter);
    kind.addEventListener("change", filter);
    filter();
    table.tHead.addEventListener("click", (event) => {
      const head = event.target.closest("th");
      if (!head) return;
      const index = head.cellIndex;
      const up = head.getAttribute("aria-sort") !== "ascending";
      for (const other of head.parentElement.cells) other.removeAttribute("aria-sort");
      head.setAttribute("aria-sort", up ? "ascending" : "descending");
      const key = (row) => row.cells[index].dataset.value ?? row.cells[index].textContent;
      const numeric = head.classList.contains("n");
      rows.sort((a, b) => {
        const [x, y] = [key(a), key(b)];
        if (x === "" || y === "") return (x === "") - (y === ""); // what is missing stays at the end
        const order = numeric ? x - y : x.localeCompare(y);
        return up ? order : -order;
      });
      body.append(...rows);
    });
  }
  const open = (row) => {
    show(Number(row.dataset.trial));
    document.getElementById("front")?.scrollIntoView();
  };
  document.addEventListener("click", (event) => {
    const row = event.target.closest("tr[data-trial]");
    if (row && !String(getSelection())) open(row);
  });
  document.addEventListener("keydown", (event) => {
    if (event.key === "Enter" && event.target.matches("tr[data-trial]")) open(event.target);
  });
})();
