// State, controls and tables. Every control is a button, a slider or a list, and has a key.

const find = id => document.getElementById(id);
const VIEWS = ["voltage", "gates", "currents", "phases", ...(quantitiesOf("concentrations").length ? ["concentrations"] : [])];
const NAMES = {
  voltage: name => name,
  gates: name => `gate ${name}`,
  currents: name => `${name} current`,
  concentrations: name => `pool ${name}`,
};
const LASTS = 8;  // s that the run plays for at first
const SPEEDS = [1, 2, 5].flatMap(digit => [...Array(9).keys()].map(power => digit * 10 ** (power - 1))).sort((a, b) => a - b);

let playing = false, speed = 1, at = run.time[0];  // at: model time, between recorded times while playing

function goTo(row) {
  state.row = Math.max(0, Math.min(run.time.length - 1, row));
  at = run.time[state.row];
  show();
}

function show() {
  find("scrub").value = state.row;
  find("clock").textContent = clock(run.time[state.row]);
  find("scrub").setAttribute("aria-valuetext", clock(run.time[state.row]));
  state.moveAlong?.();
  moveMarks();
  fillPlaces();
}

function play(on) {
  playing = on;
  find("play").textContent = on ? "pause" : "play";
  if (!on) return;
  if (state.row === run.time.length - 1) goTo(0);
  let before = performance.now();
  const step = now => {
    if (!playing) return;
    at += (now - before) * 1e-3 * (1e3 / speed);
    before = now;
    if (at > run.time.at(-1)) at = run.time[0];
    const row = nearest(run.time, at);
    if (row !== state.row) {
      state.row = row;
      show();
    }
    requestAnimationFrame(step);
  };
  requestAnimationFrame(step);
}

function faster(by) {
  const list = find("speed");
  list.selectedIndex = Math.max(0, Math.min(list.options.length - 1, list.selectedIndex - by));
  speed = Number(list.value);
}

async function look(view) {
  if (find("views").querySelector(`[data-view="${view}"]`).disabled) return;
  state.view = view;
  for (const button of find("views").children) button.setAttribute("aria-pressed", button.dataset.view === view);
  await Promise.all([drawAlong(), drawOver()]);
  fillPlaces();
  fillPhases();
}

// Traces

async function placeTrace(column) {
  const known = state.places.indexOf(column);
  state.chosen = known < 0 ? state.places.push(column) - 1 : known;
  await traced();
}

async function takeAway(k) {
  state.places.splice(k, 1);
  state.chosen = Math.max(0, Math.min(state.chosen, state.places.length - 1));
  await traced();
}

async function traced() {
  markWhole();
  await drawOver();
  fillPlaces();
  fillPhases();
}

async function fillPlaces() {
  const shown = shownQuantities(), fields = await Promise.all(shown.map(values)), arrivals = await values(run.arrivals);
  const row = state.row;
  find("places").tHead.innerHTML = `<tr><th>place</th>${shown.map(one => `<th>${one.name}</th>`).join("")}<th>spikes (ms)</th><th></th></tr>`;
  find("places").tBodies[0].replaceChildren(...state.places.map((column, k) => {
    const line = document.createElement("tr"), times = [];
    for (let spike = 0; spike < arrivals.rows && arrivals.at(spike, column) !== null; spike++) times.push(number(arrivals.at(spike, column), 4));
    const cells = [...shown.map((one, i) => inWords(fields[i].at(row, column), one)), times.join(", ") || "none"];
    line.innerHTML = `<td><button aria-pressed="${k === state.chosen}"><span class="swatch" style="background:${TRACES[k % TRACES.length]}"></span>${placeInWords(column)}</button></td>`
      + cells.map(cell => `<td>${cell}</td>`).join("") + '<td><button aria-label="take this trace away">×</button></td>';
    const [choose, remove] = line.querySelectorAll("button");
    choose.onclick = () => { state.chosen = k; traced(); };
    remove.onclick = () => takeAway(k);
    return line;
  }));
}

function fillPhases() {
  const table = find("phases");
  table.hidden = state.view !== "phases" || !state.places.length;
  if (table.hidden) return;
  table.tBodies[0].innerHTML = phasePlace(state.places[state.chosen]).spikes.flat().map(phase => {
    const lasts = phase.start === null || phase.end === null ? null : phase.end - phase.start;
    const name = `<span class="swatch" style="background:${run.phases.tints[phase.name]}"></span>${phase.name}`;
    return `<tr><td>${name}</td>${[phase.start, phase.end, lasts].map(t => `<td>${number(t, 3)}</td>`).join("")}<td>${phase.channel}</td></tr>`;
  }).join("");
}

// What does not change

function fillFacts() {
  document.title = find("title").textContent = run.title;
  find("velocity").textContent = run.velocity.text;
  find("reason").textContent = [run.velocity.reason, run.complete ? "" : "The run was stopped before its end."].filter(Boolean).join(". ");
  find("crossings").textContent = `${run.crossings} threshold crossings in all compartments`;
  for (const words of run.velocity.spikes) find("velocities").append(Object.assign(document.createElement("li"), { textContent: words }));
  for (const fact of run.facts) {
    const line = find("facts").insertRow();
    for (const words of fact) line.insertCell().textContent = words;
  }
}

function makeControls() {
  find("scrub").max = run.time.length - 1;
  const span = run.time.at(-1) - run.time[0], usual = SPEEDS.findLastIndex(slowed => slowed * span <= 1e3 * LASTS);
  for (const slowed of SPEEDS.slice(Math.max(0, usual - 5), usual + 6)) find("speed").add(new Option(`${slowed.toLocaleString("en")}×`, slowed));
  find("speed").value = speed = SPEEDS[Math.max(0, usual)];
  for (const quantity of run.quantities) {
    find("image").add(new Option(NAMES[quantity.kind](quantity.name)));
  }
  for (const [k, view] of VIEWS.entries()) {
    const missing = view === "phases" ? run.phases.missing : quantitiesOf(view).length ? "" : `${view} were not recorded`;
    const button = Object.assign(document.createElement("button"), { textContent: view, disabled: Boolean(missing), title: missing || `key ${k + 1}` });
    button.dataset.view = view;
    button.onclick = () => look(view);
    find("views").append(button);
  }
  find("play").onclick = () => play(!playing);
  find("scrub").oninput = event => { play(false); goTo(Number(event.target.value)); };
  find("speed").onchange = event => { speed = Number(event.target.value); };
  find("image").onchange = event => { state.image = run.quantities[event.target.selectedIndex]; drawWhole(); };
  find("paper").onclick = () => paper(dark() ? "light" : "dark");
}

function paper(name) {
  document.documentElement.dataset.paper = name;
  find("paper").textContent = name === "dark" ? "light" : "dark";
  for (const plot of Object.values(state.plots)) plot.redraw(false);
}

const KEYS = {
  " ": () => play(!playing),
  ArrowLeft: event => { play(false); goTo(state.row - (event.shiftKey ? 10 : 1)); },
  ArrowRight: event => { play(false); goTo(state.row + (event.shiftKey ? 10 : 1)); },
  Home: () => goTo(0),
  End: () => goTo(run.time.length - 1),
  "+": () => faster(1),
  "=": () => faster(1),
  "-": () => faster(-1),
  x: () => takeAway(state.chosen),
  d: () => paper(dark() ? "light" : "dark"),
};

function listen() {
  document.addEventListener("keydown", event => {
    if (event.ctrlKey || event.metaKey || event.altKey || event.target.tagName === "SELECT") return;
    const act = KEYS[event.key] ?? (VIEWS[event.key - 1] && (() => look(VIEWS[event.key - 1])));
    if (!act) return;
    event.preventDefault();
    act(event);
  });
  new ResizeObserver(() => {
    for (const [name, plot] of Object.entries(state.plots)) {
      if (plot.width !== sizeOf(name).width) plot.setSize(sizeOf(name));
    }
  }).observe(document.querySelector("main"));
  const scheme = matchMedia("(prefers-color-scheme: dark)");
  scheme.addEventListener("change", () => paper(scheme.matches ? "dark" : "light"));
  paper(scheme.matches ? "dark" : "light");
}

async function start() {
  fillFacts();
  makeControls();
  listen();
  const last = run.position.length - 1;
  state.places = [...new Set([0.25, 0.5, 0.75].map(share => Math.round(share * last)))];
  await Promise.all([drawWhole(), look("voltage")]);
  goTo(0);
  document.documentElement.dataset.ready = Math.round(performance.now());
}

if ("DecompressionStream" in window) start();
else find("reason").textContent = "This page needs a browser of 2023 or later.";
