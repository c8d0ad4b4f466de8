// What uPlot does not draw by itself: the image, the wake, phases, stimuli, joins.

const colour = name => getComputedStyle(document.documentElement).getPropertyValue(name).trim();
const dark = () => document.documentElement.dataset.paper === "dark";
// Ink on white paper is lost on dark paper.
const visible = shade => dark() && shade === voltage.colour ? colour("--ink") : shade;

// The image of a quantity over position and time, one cell for each recorded value, wake outlined.
function imageOf(quantity, field, wake, width, height) {
  const canvas = new OffscreenCanvas(width, height), context = canvas.getContext("2d");
  const image = context.createImageData(width, height), pixels = new Uint32Array(image.data.buffer);
  const rgb = bytesOf(quantity.shades[dark() ? "dark" : "light"]), shades = new Uint32Array(256);
  for (let k = 0; k < 256; k++) shades[k] = 0xff000000 | rgb[3 * k + 2] << 16 | rgb[3 * k + 1] << 8 | rgb[3 * k];
  const [low, high] = quantity.limits, scale = 255 / (high - low);
  const start = run.time[0], span = run.time.at(-1) - start;
  const columns = Array.from({ length: width }, (_, x) => nearest(run.position, (x + 0.5) / width * run.length));
  const outline = dark() ? 0xffffffff : 0xff1a1a1a;
  let before = null;
  for (let y = 0; y < height; y++) {
    const row = nearest(run.time, start + (y + 0.5) / height * span);
    const strengths = wake && columns.map(column => wake.at(row, column));
    for (let x = 0; x < width; x++) {
      const value = field.at(row, columns[x]);
      const shade = value === null ? 0 : shades[Math.max(0, Math.min(255, Math.round((value - low) * scale)))];
      pixels[y * width + x] = wake && bordering(strengths, before, x, y) ? outline : shade;
    }
    before = strengths;
  }
  context.putImageData(image, 0, 0);
  return canvas;
}

// Whether a pixel lies on the outline of the wake: solid where absolute begins or ends, else dashed.
function bordering(strengths, before, x, y) {
  const own = strengths[x];
  for (const other of [x ? strengths[x - 1] : own, before ? before[x] : own]) {
    if (own !== other) return own === 2 || other === 2 || (x + y) % 8 < 4;
  }
  return false;
}

function band(plot, from, to, shade, opacity) {
  const { ctx, bbox } = plot;
  const left = Math.max(plot.valToPos(from, "x", true), bbox.left);
  const right = Math.min(plot.valToPos(to, "x", true), bbox.left + bbox.width);
  if (right <= left) return;
  ctx.save();
  ctx.globalAlpha = opacity;
  ctx.fillStyle = shade;
  ctx.fillRect(left, bbox.top, right - left, bbox.height);
  ctx.restore();
}

// Bands along the axon: look(column) says shade and opacity, or null; equal neighbours are one band.
function bandsAlong(plot, look) {
  const cells = edges(run.position, 0, run.length);
  let open = null;
  for (let column = 0; column <= run.position.length; column++) {
    const own = column < run.position.length ? look(column) : null;
    if (open && (!own || own[0] !== open.look[0] || own[1] !== open.look[1])) {
      band(plot, cells[open.from], cells[column], ...open.look);
      open = null;
    }
    if (own && !open) open = { from: column, look: own };
  }
}

// Dotted lines where sections join, ticks at nodes.
function joins(plot) {
  const { ctx, bbox } = plot, tick = 7 * devicePixelRatio;
  ctx.save();
  ctx.fillStyle = colour("--ink");
  for (const x of run.nodes) {
    const at = plot.valToPos(x, "x", true);
    if (at >= bbox.left && at <= bbox.left + bbox.width) ctx.fillRect(at - 0.5, bbox.top + bbox.height - tick, 1, tick);
  }
  ctx.strokeStyle = colour("--faint");
  ctx.setLineDash([2, 4]);
  ctx.beginPath();
  for (const x of run.joins) {
    const at = plot.valToPos(x, "x", true);
    if (at < bbox.left || at > bbox.left + bbox.width) continue;
    ctx.moveTo(at, bbox.top);
    ctx.lineTo(at, bbox.top + bbox.height);
  }
  ctx.stroke();
  ctx.restore();
}

function triangle(ctx, x, y, size, shade) {
  ctx.save();
  ctx.fillStyle = shade;
  ctx.beginPath();
  ctx.moveTo(x - size, y - size);
  ctx.lineTo(x + size, y - size);
  ctx.lineTo(x, y + size);
  ctx.fill();
  ctx.restore();
}

// Stimuli on the image: a triangle where each begins, a bar as long as it lasts.
function stimuliOver(plot) {
  for (const [x, start, stop] of run.stimuli) {
    const at = plot.valToPos(x, "x", true), top = plot.valToPos(start, "y", true);
    plot.ctx.fillStyle = colour("--ink");
    plot.ctx.fillRect(at - 2, top, 4, Math.max(2, plot.valToPos(stop, "y", true) - top));
    triangle(plot.ctx, at, top, 6 * devicePixelRatio, colour("--ink"));
  }
}

// Stimuli along the axon: a triangle while each is on.
function stimuliAt(plot, t) {
  const half = (run.time.at(-1) - run.time[0]) / (run.time.length - 1) / 2;
  for (const [x, start, stop] of run.stimuli) {
    if (t < start - half || t > stop + half) continue;
    triangle(plot.ctx, plot.valToPos(x, "x", true), plot.bbox.top + 8 * devicePixelRatio, 6 * devicePixelRatio, "#d55e00");
  }
}
