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
      const term = element("dt");
      const word = element(facts.meanings[name] ? "abbr" : "span", facts.names[name]);
      if (facts.meanings[name]) word.title = facts.meanings[name];
      term.append(word);
      box.append(term, amount);
      list.append(box);
    }
    return list;
  };
  // Every trial as a line over its choices: the nearest one to the pointer is lit, or the next one by the keyboard.
  const parallel = document.querySelector("svg.parallel");
  const strands = [...(parallel?.querySelectorAll("[data-trial]") ?? [])].map((path) => ({
    number: Number(path.dataset.trial),
    path: path.getAttribute("d"),
    points: path.getAttribute("d").slice(1).split("L").map((point) => point.split(" ").map(Number)),
  }));
  const lit = document.createElementNS("http://www.w3.org/2000/svg", "path");
  let atStrand = -1;
  const light = (at) => {
    atStrand = at;
    const strand = strands[at];
    lit.setAttribute("class", "lit");
    lit.setAttribute("d", strand ? strand.path : "M0 0");
    const trial = strand && trials.get(strand.number);
    const told = trial ? trial.values.slice(0, facts.objectives).map(([name, value]) => `${facts.names[name]} ${value}`) : [];
    const text = trial ? [`Trial ${strand.number}`, ...told, trial.labels].join(" · ") : "";
    document.getElementById("strand").textContent = text;
    if (text) parallel.setAttribute("aria-label", text);
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
    panel.scrollTop = 0;
    const list = document.getElementById("design");
    if (list) list.value = [...list.options].some((option) => option.value === String(number)) ? String(number) : "";
    for (const row of document.querySelectorAll("tr.chosen")) row.classList.remove("chosen");
    document.querySelector(`tr[data-trial="${number}"]`)?.classList.add("chosen");
    if (parallel) light(strands.findIndex((strand) => strand.number === number));
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
  // Points without a text of their own show the formula, which the facts hold once for all figures.
  const markup = (text) => text.replaceAll("&", "&amp;").replaceAll("<", "&lt;").replaceAll(">", "&gt;").replaceAll("\n", "<br>");
  const formulas = (numbers) => numbers.map((number) => markup(trials.get(number)?.formula ?? ""));
  const withFormulas = (data) => {
    for (const trace of data) {
      if (!trace.customdata || trace.hovertext || !trace.hovertemplate?.includes("%{hovertext}")) continue;
      trace.hovertext = formulas(trace.customdata);
    }
    return data;
  };
  // The front as it stood after a trial, by the groups that its figure has at the end.
  const grown = document.getElementById("grown");
  const growth = grown ? read("growth") : [];
  const PLAIN = "<b>Trial %{customdata}</b><br>%{hovertext}<extra></extra>";
  const asItStood = (figure) => {
    const stop = growth[Number(grown.value)];
    const designs = Object.values(stop.groups).flat().length;
    const told = `${stop.trial}: ${stop.front.length} of ${designs} designs are on the front`;
    document.getElementById("grown-told").textContent = told;
    grown.setAttribute("aria-valuetext", `trial ${told}`);
    if (grown.value === grown.max) return figure;
    const {points, steps, looks} = figure.layout.meta;
    const template = figure.data.find((trace) => trace.name === "other designs")?.hovertemplate ?? PLAIN;
    const [x, y] = steps[Number(grown.value)];
    const now = (name, known) => {
      const numbers = stop.groups[name] ?? [];
      const rings = numbers.map((number) => (stop.front.includes(number) && name !== "on the front" ? 2 : 0));
      const look = known?.marker ?? looks[name] ?? looks["other references"];
      const [xs, ys] = [0, 1].map((axis) => numbers.map((number) => points[number][axis]));
      return {
        type: "scatter", mode: "markers", name, showlegend: true, marker: {...look, line: {...look.line, width: rings}},
        x: numbers.length ? xs : [null], y: numbers.length ? ys : [null], // an empty one keeps its place in the legend, so nothing moves
        customdata: numbers, hovertext: formulas(numbers), hovertemplate: template,
      };
    };
    // What belongs to the end alone, teams and names of published designs, is emptied, not taken away: the legend keeps its height.
    const then = (trace) => (trace.meta === "step" ? {...trace, x, y} : trace.customdata ? now(trace.name, trace) : {...trace, x: [null], y: [null]});
    const traces = figure.data.map(then);
    const further = Object.keys(stop.groups).filter((name) => traces.every((trace) => trace.name !== name));
    traces.push(...further.map((name) => now(name)));
    // Teams are told of the end alone; they too keep their place in the legend.
    traces.push(...figure.data.filter((trace) => trace.name === "teams").map((trace) => ({...trace, x: [null], y: [null]})));
    return {...figure, data: traces};
  };
  const BUTTONS = 620; // pixels
  const draw = (holder) => {
    let figure = read(holder.dataset.figure);
    withFormulas(figure.data);
    if (grown && holder.id === "front-figure") figure = asItStood(figure);
    // In a narrow figure the buttons would lie on the legend; a double click takes a zoom back without them.
    const displayModeBar = holder.clientWidth > BUTTONS && "hover";
    Plotly.react(holder, figure.data, themed(figure.layout), {...settings, displayModeBar});
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
  // On paper a figure is as wide as its card, whatever the screen was.
  const fit = (width) => {
    for (const holder of figures) {
      holder.style.width = width ? `${width}px` : "";
      Plotly.relayout(holder, {width: width || null, autosize: !width});
    }
  };
  const PAPER = 600;
  addEventListener("beforeprint", () => fit(PAPER));
  addEventListener("afterprint", () => fit(0));
  document.getElementById("design")?.addEventListener("change", (event) => {
    if (event.target.value) show(Number(event.target.value));
  });
  let waiting = 0;
  grown?.addEventListener("input", () => {
    cancelAnimationFrame(waiting); // a slider that is dragged tells more places than can be drawn
    waiting = requestAnimationFrame(() => draw(document.getElementById("front-figure")));
  });
  for (const chooser of document.querySelectorAll("select[data-shows]")) {
    chooser.addEventListener("change", () => {
      const holder = document.getElementById(chooser.dataset.shows);
      holder.dataset.figure = chooser.value;
      draw(holder);
    });
  }

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
  // Every table of trials is one stop of the tabulator key; arrows go from row to row.
  const bodies = [...document.querySelectorAll("tbody:has(tr[data-trial])")];
  const stops = (body) => [...body.rows].filter((row) => !row.hidden);
  const settle = (body, row) => {
    for (const each of body.querySelectorAll('tr[tabindex="0"]')) each.tabIndex = -1;
    if (row) row.tabIndex = 0;
  };
  for (const body of bodies) {
    const observer = new MutationObserver(() => {
      if (!stops(body).some((row) => row.tabIndex === 0)) settle(body, stops(body)[0]);
    });
    observer.observe(body, {attributes: true, attributeFilter: ["hidden"], subtree: true});
    body.addEventListener("focusin", (event) => settle(body, event.target.closest("tr")));
  }
  const openTrial = (number) => {
    show(number);
    document.getElementById("front")?.scrollIntoView();
    panel?.focus({preventScroll: true});
  };
  document.addEventListener("click", (event) => {
    const row = event.target.closest("tr[data-trial]");
    if (row && !String(getSelection())) openTrial(Number(row.dataset.trial));
  });
  document.addEventListener("keydown", (event) => {
    if (!event.target.matches("tr[data-trial]")) return;
    const rows = stops(event.target.parentElement);
    const at = rows.indexOf(event.target);
    const next = {ArrowDown: at + 1, ArrowUp: at - 1, Home: 0, End: rows.length - 1}[event.key];
    if (event.key === "Enter" || event.key === " ") openTrial(Number(event.target.dataset.trial));
    else if (next === undefined) return;
    else rows[Math.min(Math.max(next, 0), rows.length - 1)].focus();
    event.preventDefault();
  });

  if (parallel) {
    const NEAR = 12; // pixels from the pointer to a line
    const nearest = (event) => {
      const box = parallel.getBoundingClientRect();
      const scale = parallel.viewBox.baseVal.width / box.width;
      const [x, y] = [(event.clientX - box.left) * scale, (event.clientY - box.top) * scale];
      let [best, least] = [-1, NEAR];
      strands.forEach(({points}, at) => {
        const next = points.findIndex((point) => point[0] >= x);
        if (next < 1) return;
        const [[x0, y0], [x1, y1]] = [points[next - 1], points[next]];
        const away = Math.abs(y0 + ((y1 - y0) * (x - x0)) / (x1 - x0) - y) / Math.hypot(1, (y1 - y0) / (x1 - x0));
        if (away <= least) [best, least] = [at, away];
      });
      return best;
    };
    parallel.append(lit);
    parallel.tabIndex = 0;
    parallel.addEventListener("pointermove", (event) => {
      const at = nearest(event);
      if (at !== atStrand && at >= 0) light(at);
    });
    parallel.addEventListener("click", (event) => {
      if (nearest(event) >= 0) openTrial(strands[nearest(event)].number);
    });
    const best = strands.length - 1; // the worst comes first
    parallel.addEventListener("keydown", (event) => {
      const next = {ArrowDown: atStrand - 1, ArrowUp: atStrand + 1, Home: best, End: 0}[event.key];
      if (event.key === "Enter" && atStrand >= 0) openTrial(strands[atStrand].number);
      else if (next === undefined) return;
      else light(Math.min(Math.max(next, 0), best));
      event.preventDefault();
    });
  }

  // A table that is wider than its frame says so.
  for (const frame of document.querySelectorAll(".scroll")) {
    const hint = element("p", "More columns to the right: scroll sideways.", "hint");
    hint.hidden = true;
    frame.before(hint);
    new ResizeObserver(() => (hint.hidden = frame.scrollWidth <= frame.clientWidth + 1)).observe(frame);
  }

  // Copies a command; a browser that forbids it leaves it selected.
  for (const button of document.querySelectorAll("button.copy")) {
    const told = button.parentElement.querySelector("output");
    button.addEventListener("click", async () => {
      try {
        await navigator.clipboard.writeText(button.dataset.copy);
        told.textContent = "Copied.";
      } catch {
        getSelection().selectAllChildren(button.parentElement.nextElementSibling);
        told.textContent = document.execCommand("copy") ? "Copied." : "Selected: copy it with the keyboard.";
      }
    });
  }
})();
