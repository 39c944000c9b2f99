"use strict";
(() => {
  const root = document.documentElement;
  const recall = () => { try { return localStorage.getItem("theme"); } catch { return null; } };
  const keep = (theme) => { try { localStorage.setItem("theme", theme); } catch { /* the choice then holds for this page */ } };
  if (["light", "dark"].includes(recall())) root.dataset.theme = recall();

  const all = (selector, within = document) => [...within.querySelectorAll(selector)];
  const json = (id) => JSON.parse(document.getElementById(id).textContent);
  const isDark = () => root.dataset.theme ? root.dataset.theme === "dark" : matchMedia("(prefers-color-scheme: dark)").matches;

  function themes() {
    const button = document.getElementById("theme");
    const show = () => { button.textContent = isDark() ? "Light" : "Dark"; button.setAttribute("aria-label", `Use the ${isDark() ? "light" : "dark"} theme`); };
    button.hidden = false;
    button.addEventListener("click", () => { root.dataset.theme = isDark() ? "light" : "dark"; keep(root.dataset.theme); show(); repaint(); });
    matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => { show(); repaint(); });
    show();
  }

  // Tables: a heading with data-sort becomes a button; a cell's data-value, else its text, is what counts.
  const worth = (row, column, kind) => {
    const cell = row.cells[column];
    const text = cell.dataset.value ?? cell.textContent.trim();
    return kind === "number" ? Number.parseFloat(text) : text;
  };
  function sortBy(table, head, direction) {
    const body = table.tBodies[0], column = head.cellIndex, kind = head.dataset.sort, turn = direction === "ascending" ? 1 : -1;
    const rows = [...body.rows].map((row, place) => ({ row, place, value: worth(row, column, kind) }));
    rows.sort((a, b) => {
      if (kind === "number") {
        if (Number.isNaN(a.value) || Number.isNaN(b.value)) return Number.isNaN(a.value) - Number.isNaN(b.value) || a.place - b.place;
        return turn * (a.value - b.value) || a.place - b.place;
      }
      return turn * a.value.localeCompare(b.value, "en", { numeric: true }) || a.place - b.place;
    });
    body.append(...rows.map((one) => one.row));
    all("th", table.tHead).forEach((other) => other.removeAttribute("aria-sort"));
    head.setAttribute("aria-sort", direction);
  }
  function sortable(table) {
    for (const head of all("th[data-sort]", table.tHead)) {
      const button = document.createElement("button");
      button.type = "button";
      button.append(...head.childNodes);
      head.append(button);
      button.addEventListener("click", () => {
        const first = head.dataset.first ?? "ascending", other = first === "ascending" ? "descending" : "ascending";
        sortBy(table, head, head.getAttribute("aria-sort") === first ? other : first);
      });
    }
  }

  function leaderboard(form) {
    const table = document.getElementById("leaderboard"), status = document.getElementById("status");
    const caption = document.getElementById("leaderboard-caption"), before = caption.textContent;
    const standings = json("standings"), rows = [...table.tBodies[0].rows];
    // A column is left out where no row has anything to say.
    const put = (row, name, change) => all(`[data-cell="${name}"]`, row).forEach(change);
    const fill = (row, { texts, values, bar }) => {
      for (const [name, text] of Object.entries(texts)) put(row, name, (cell) => { cell.textContent = text; });
      for (const [name, value] of Object.entries(values)) put(row, name, (cell) => { cell.dataset.value = value ?? ""; });
      row.querySelector(".bar").hidden = !bar;
      for (const [name, style] of Object.entries(bar ?? {})) row.querySelector(`.${name}`).style.cssText = style;
    };
    const update = () => {
      const wanted = Object.fromEntries(new FormData(form));
      const chosen = standings[wanted.dataset ?? "all"];
      for (const row of rows) {
        const one = chosen.places[row.dataset.key];
        if (one) fill(row, one);
        row.hidden = !one || ["cohort", "reasoning", "vendor"].some((name) => wanted[name] && row.dataset[name] !== wanted[name]);
      }
      caption.textContent = chosen.caption ?? before;
      const head = table.tHead.querySelector("[aria-sort]");
      sortBy(table, head, head.getAttribute("aria-sort"));
      status.textContent = `${rows.filter((row) => !row.hidden).length} of ${rows.length} contenders shown.`;
    };
    form.hidden = false;
    form.addEventListener("change", update);
    form.addEventListener("reset", () => setTimeout(update));
    form.addEventListener("submit", (event) => event.preventDefault());
    update();
  }

  function claims(form) {
    const items = all("[data-family] .claim"), status = document.getElementById("status");
    const update = () => {
      const { verdict, contender } = Object.fromEntries(new FormData(form));
      for (const item of items) item.hidden = Boolean((verdict && item.dataset.verdict !== verdict) || (contender && !JSON.parse(item.dataset.names).includes(contender)));
      if (verdict || contender) all("details:has([data-family])").forEach((one) => { one.open = true; });
      status.textContent = `${items.filter((item) => !item.hidden).length} of ${items.length} claims shown.`;
    };
    form.hidden = false;
    form.addEventListener("change", update);
    form.addEventListener("reset", () => setTimeout(update));
    form.addEventListener("submit", (event) => event.preventDefault());
    update();
  }

  // Plots take the colours of text and lines from the page.
  function dressed(element, layout) {
    const style = getComputedStyle(element), ink = style.color, line = style.borderTopColor;
    const axis = { gridcolor: line, linecolor: line, zerolinecolor: line };
    return { margin: { l: 56, r: 12, t: 12, b: 44 }, ...layout, paper_bgcolor: "transparent", plot_bgcolor: "transparent",
      font: { color: ink, family: style.fontFamily, size: innerWidth < 640 ? 11 : 13 },
      xaxis: { ...layout.xaxis, ...axis }, yaxis: { ...layout.yaxis, ...axis }, dragmode: false };
  }
  function draw(element) {
    const { data, layout } = json(element.dataset.plot);
    Plotly.react(element, data, dressed(element, layout), { responsive: true, displaylogo: false, displayModeBar: false });
  }
  const repaint = () => all("[data-drawn]").forEach(draw);
  function begin(element) {
    element.replaceChildren();
    element.dataset.drawn = "";
    draw(element);
  }
  // What one sees is drawn at once, the rest when one comes near it.
  function plots() {
    const near = new IntersectionObserver((entries) => {
      for (const { target } of entries.filter((entry) => entry.isIntersecting)) {
        near.unobserve(target);
        begin(target);
      }
    }, { rootMargin: "400px" });
    for (const element of all("[data-plot]")) {
      if (element.getBoundingClientRect().top < innerHeight) begin(element);
      else near.observe(element);
    }
  }

  // Where a table is wider than the page, a line says so: on a phone nothing else shows that it goes on.
  function sideways() {
    for (const region of all(".scroll")) {
      const told = region.previousElementSibling?.classList.contains("sideways");
      const wide = region.scrollWidth > region.clientWidth + 1;
      if (told && !wide) region.previousElementSibling.remove();
      if (wide && !told) {
        const line = document.createElement("span");
        line.className = "sideways";
        line.textContent = "This table is wider than the page: scroll it sideways.";
        region.before(line);
      }
    }
  }
  function menus() {
    const open = () => all("details.menu[open]");
    document.addEventListener("click", (event) => open().filter((one) => !one.contains(event.target)).forEach((one) => { one.open = false; }));
    document.addEventListener("keydown", (event) => {
      if (event.key === "Escape") open().forEach((one) => { one.open = false; one.querySelector("summary").focus(); });
    });
  }

  document.addEventListener("DOMContentLoaded", () => {
    themes();
    menus();
    sideways();
    addEventListener("resize", sideways);
    document.addEventListener("toggle", sideways, true);
    all("table[data-sortable]").forEach(sortable);
    const filters = document.getElementById("filters"), claimFilters = document.getElementById("claim-filters");
    if (filters) leaderboard(filters);
    if (claimFilters) claims(claimFilters);
    if (window.Plotly) plots();
  });
})();
