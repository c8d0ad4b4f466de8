// The three plots: the whole run as an image, the instant along the axon, the traces over time.

const TRACES = ["#0072b2", "#d55e00", "#009e73", "#cc79a7", "#e69f00", "#56b4e9"];
const HEIGHTS = { whole: 575, along: 240, over: 240 };  // px
const FONT = "12px system-ui, sans-serif";
const ABSOLUTE = 0.6, RELATIVE = 0.24, PHASE = 0.28;  // opacity of shades
const KINDS = { voltage: "voltage (mV)", gates: "gates open", currents: "outward current (mA/cm²)", phases: "voltage (mV)", concentrations: "concentration (mM)" };

const state = { row: 0, view: "voltage", image: voltage, places: [], chosen: 0, plots: {} };

function axis(label, more = {}) {
  return {
    label,
    labelSize: 18,
    size: 30,
    font: FONT,
    labelFont: FONT,
    values: (_, ticks) => ticks.map(tick => String(Number(tick.toPrecision(6))).replace("-", "−")),
    stroke: () => colour("--ink"),
    grid: { stroke: () => colour("--grid"), width: 1 },
    ticks: { stroke: () => colour("--grid"), width: 1 },
    ...more,
  };
}

function sizeOf(name) {
  const width = document.querySelector(`#${name} .plot`).clientWidth;
  return { width, height: Math.min(HEIGHTS[name], Math.max(180, 0.95 * width)) };
}

function put(name, options, data) {
  state.plots[name]?.destroy();
  const holder = document.querySelector(`#${name} .plot`);
  state.plots[name] = new uPlot({ ...sizeOf(name), ...options }, data, holder);
  return state.plots[name];
}

const shownQuantities = () => quantitiesOf(state.view === "phases" ? "voltage" : state.view);

function limitsOf(quantities) {
  const low = Math.min(...quantities.map(one => one.limits[0])), high = Math.max(...quantities.map(one => one.limits[1]));
  return [low - 0.04 * (high - low), high + 0.06 * (high - low)];
}

// 1. The image

async function drawWhole() {
  const quantity = state.image, field = await values(quantity), wake = run.wake && await values(run.wake);
  let image = null, made = "";
  const start = run.time[0], stop = run.time.at(-1);
  const options = {
    scales: { x: { time: false, range: [0, run.length] }, y: { range: [start, stop], dir: -1 } },
    axes: [axis(run.label, { grid: { show: false } }), axis("time (ms)", { size: 50, grid: { show: false } })],
    series: [{}, { paths: () => null, points: { show: false } }],
    legend: { show: false },
    cursor: { points: { show: false }, drag: { x: false, y: false } },
    hooks: {
      drawClear: [plot => {
        const { left, top, width, height } = plot.bbox, wanted = `${width} ${height} ${dark()}`;
        if (made !== wanted) [image, made] = [imageOf(quantity, field, wake, Math.round(width), Math.round(height)), wanted];
        plot.ctx.drawImage(image, left, top);
      }],
      draw: [joins, stimuliOver],
      setCursor: [plot => {
        const { left, top } = plot.cursor;
        if (left < 0 || top < 0) return;
        const column = nearest(run.position, plot.posToVal(left, "x")), row = nearest(run.time, plot.posToVal(top, "y"));
        document.getElementById("pointed").textContent =
          `${quantity.name} at ${placeInWords(column)}, ${clock(run.time[row])}: ${inWords(field.at(row, column), quantity)}`;
      }],
      setSize: [markWhole],
      ready: [plot => plot.over.addEventListener("click", event => {
        placeTrace(nearest(run.position, plot.posToVal(event.offsetX, "x")));
      })],
    },
  };
  put("whole", options, [[0, run.length], [start, stop]]);
  markWhole();
}

// Lines over the image that move without it being drawn again: the time, and the places of the traces.
function markWhole() {
  const plot = state.plots.whole;
  if (!plot) return;
  plot.over.querySelectorAll(".now, .place").forEach(mark => mark.remove());
  state.places.forEach((column, k) => {
    const mark = Object.assign(document.createElement("div"), { className: "place" });
    mark.style.left = `${plot.valToPos(run.position[column], "x")}px`;
    mark.style.borderColor = TRACES[k % TRACES.length];
    plot.over.append(mark);
  });
  plot.over.append(Object.assign(document.createElement("div"), { className: "now" }));
  moveMarks();
}

function moveMarks() {
  const t = run.time[state.row];
  for (const [name, scale, side] of [["whole", "y", "top"], ["over", "x", "left"]]) {
    const plot = state.plots[name], mark = plot?.over.querySelector(".now");
    if (!mark) continue;
    const at = plot.valToPos(t, scale);
    mark.style[side] = `${at}px`;
    mark.hidden = at < 0 || at > (name === "whole" ? plot.over.clientHeight : plot.over.clientWidth);
  }
}

// 2. The instant

// From when to when a phase lasts; what the run does not hold of it is cut off. Nothing where neither is known.
const span = phase => phase.start === null && phase.end === null ? null : [phase.start ?? run.time[0], phase.end ?? run.time.at(-1)];
const phaseAt = (place, t) => place?.spikes.flat().find(phase => span(phase) && span(phase)[0] <= t && t <= span(phase)[1]);
const phasePlace = column => {
  const { places } = run.phases;
  return places[nearest(places.map(place => place.column), column)];
};

async function alongData() {
  const fields = await Promise.all(shownQuantities().map(values));
  return () => [run.position, ...fields.map(field => run.position.map((_, column) => field.at(state.row, column)))];
}

async function drawAlong() {
  const quantities = shownQuantities(), wake = run.wake && await values(run.wake), data = await alongData();
  const options = {
    scales: { x: { time: false, range: (_, low, high) => low === run.position[0] && high === run.position.at(-1) ? [0, run.length] : [low, high] },
      y: { range: limitsOf(quantities) } },
    axes: [axis(run.label), axis(KINDS[state.view], { size: 60 })],
    series: [
      { label: "at", value: (_, x) => x === null ? "–" : `${Number(x.toPrecision(5))} ${run.unit}` },
      ...quantities.map(one => ({ label: one.name, stroke: () => visible(one.colour), width: 1.8,
        points: { show: run.dots, size: 5 }, value: (_, value) => inWords(value, one) })),
    ],
    hooks: {
      drawClear: [plot => {
        const t = run.time[state.row];
        if (state.view === "phases") {
          bandsAlong(plot, column => {
            const phase = phaseAt(phasePlace(column), t);
            return phase ? [run.phases.tints[phase.name], PHASE] : null;
          });
        } else if (wake) {
          bandsAlong(plot, column => [null, [run.wake.colour, RELATIVE], [run.wake.colour, ABSOLUTE]][wake.at(state.row, column)]);
        }
      }],
      draw: [joins, plot => stimuliAt(plot, run.time[state.row])],
    },
  };
  put("along", options, data());
  state.moveAlong = () => {
    state.plots.along.setData(data(), false);
    state.plots.along.redraw(true, false);
  };
  caption("along", state.view === "phases" ? "along the axon, by phase" : run.wake ? "along the axon; shaded: refractory" : "along the axon");
}

function caption(name, words) {
  document.querySelector(`#${name} figcaption`).textContent = words;
}

// 3. The traces: voltage at every place, or gates, currents and phases at the chosen one

async function tracesShown() {
  if (state.view === "voltage") {
    return Promise.all(state.places.map(async (column, k) => {
      const field = await values(voltage);
      return { label: placeInWords(column), stroke: TRACES[k % TRACES.length], quantity: voltage, field, column };
    }));
  }
  const column = shownColumn();
  return Promise.all(shownQuantities().map(async quantity => (
    { label: quantity.name, stroke: quantity.colour, quantity, field: await values(quantity), column })));
}

// Phases are known at some places only: the trace is then that of the nearest.
function shownColumn() {
  const column = state.places[state.chosen];
  return state.view === "phases" && column !== undefined ? phasePlace(column).column : column;
}

async function drawOver() {
  const shown = state.places.length ? await tracesShown() : [];
  const options = {
    scales: { x: { time: false }, y: { range: limitsOf(shownQuantities()) } },
    axes: [axis("time (ms)"), axis(KINDS[state.view], { size: 60 })],
    series: [
      { label: "at", value: (_, t) => t === null ? "–" : clock(t) },
      ...shown.map(one => ({ label: one.label, stroke: () => visible(one.stroke), width: 1.6,
        points: { show: false }, value: (_, value) => inWords(value, one.quantity) })),
    ],
    hooks: {
      drawClear: [plot => {
        if (state.view !== "phases" || !shown.length) return;
        for (const phase of phasePlace(shownColumn()).spikes.flat()) {
          if (span(phase)) band(plot, ...span(phase), run.phases.tints[phase.name], PHASE);
        }
      }],
      setScale: [moveMarks],
      setSize: [moveMarks],
      ready: [plot => plot.over.addEventListener("click", event => goTo(nearest(run.time, plot.posToVal(event.offsetX, "x"))))],
    },
  };
  const plot = put("over", options, [run.time, ...shown.map(one => run.time.map((_, row) => one.field.at(row, one.column)))]);
  plot.over.append(Object.assign(document.createElement("div"), { className: "now" }));
  moveMarks();
  caption("over", !shown.length ? "click the image to place a trace" :
    state.view === "voltage" ? "over time" : `over time at ${placeInWords(shownColumn())}`);
}
