// The run as the page holds it. Large arrays are unpacked when they are first looked at.

const run = JSON.parse(document.getElementById("run").textContent);

// What pack() in packing.py made: codes as differences along time, their bytes apart, deflated. 0 is nothing.
async function unpack(packed) {
  const stream = new Blob([bytesOf(packed.data)]).stream().pipeThrough(new DecompressionStream("deflate"));
  const planes = new Uint8Array(await new Response(stream).arrayBuffer());
  const [rows, columns] = packed.shape, size = rows * columns;
  const codes = new ({ 1: Uint8Array, 2: Uint16Array, 4: Uint32Array })[packed.width](size);
  for (let byte = 0; byte < packed.width; byte++) {
    const plane = byte * size, shift = 8 * byte;
    for (let k = 0; k < size; k++) codes[k] |= planes[plane + k] << shift;
  }
  for (let k = columns; k < size; k++) codes[k] += codes[k - columns];  // wraps around, as the differences did
  return {
    rows,
    columns,
    at(row, column) {
      const code = codes[row * columns + column];
      return code ? (code - 1 + packed.low) * packed.step : null;
    },
  };
}

const unpacked = new Map();  // promises, so that what two plots ask for is unpacked once
function values(packed) {
  if (!unpacked.has(packed)) unpacked.set(packed, unpack(packed));
  return unpacked.get(packed);
}

// Index of the number nearest to x in an increasing list.
function nearest(list, x) {
  let low = 0, high = list.length - 1;
  while (high - low > 1) {
    const middle = (low + high) >> 1;
    if (list[middle] <= x) low = middle; else high = middle;
  }
  return x - list[low] <= list[high] - x ? low : high;
}

// Where the cells around an increasing list meet, from end to end.
function edges(list, first, last) {
  const middles = list.slice(1).map((x, k) => (x + list[k]) / 2);
  return [first, ...middles, last];
}

function bytesOf(text) {
  const letters = atob(text), bytes = new Uint8Array(letters.length);
  for (let k = 0; k < letters.length; k++) bytes[k] = letters.charCodeAt(k);
  return bytes;
}

const quantitiesOf = kind => run.quantities.filter(quantity => quantity.kind === kind);
const voltage = quantitiesOf("voltage")[0];

function number(value, digits) {
  return value === null || value === undefined ? "–" : value.toFixed(digits).replace("-", "−");
}

function inWords(value, quantity) {
  return number(value, quantity.digits) + (quantity.unit && Number.isFinite(value) ? ` ${quantity.unit}` : "");
}

function placeInWords(column) {
  return `${Number(run.position[column].toPrecision(5))} ${run.unit}`;
}

// Model time with the unit that suits the whole run, and decimals that tell two recorded times apart.
const clock = (() => {
  const { time } = run, span = time.at(-1) - time[0], step = span / (time.length - 1);
  const [factor, unit] = span < 1 ? [1e3, "µs"] : span < 2000 ? [1, "ms"] : [1e-3, "s"];
  const digits = Math.max(0, Math.ceil(-Math.log10(step * factor) + 0.3));
  return t => `${(t * factor).toFixed(digits)} ${unit}`;
})();
