'use strict';

const every = 1000; // ms from one answer to the next request
const patience = 5000; // ms that an answer may take
const kept = 120; // points of a plot

const byId = (id) => document.getElementById(id);

/* ---- elements */

function make(name, words, classes) {
  const element = document.createElement(name);
  if (words !== undefined) element.textContent = words;
  if (classes) element.className = classes;
  return element;
}

function makePlot(lines, width, height) {
  const of = (name) => document.createElementNS('http://www.w3.org/2000/svg', name);
  const svg = of('svg');
  svg.setAttribute('viewBox', `0 0 ${width} ${height}`);
  svg.setAttribute('preserveAspectRatio', 'none');
  svg.setAttribute('aria-hidden', 'true');
  const drawn = lines.map((name) => {
    const line = of('polyline');
    if (name) line.setAttribute('class', name);
    svg.append(line);
    return line;
  });
  return {svg, drawn, width, height};
}

/* The newest point is at the right edge; a point that is not known is left out. */
function draw(plot, series) {
  const known = series.flat().filter(Number.isFinite);
  const most = Math.max(...known, 1e-9);
  plot.drawn.forEach((line, i) => {
    const points = series[i].map((value, at) => [at + kept - series[i].length, value]);
    line.setAttribute('points', points.filter(([, value]) => Number.isFinite(value)).map(([x, y]) =>
      `${(x * plot.width / (kept - 1)).toFixed(1)},` +
      `${(plot.height - 1 - y / most * (plot.height - 2)).toFixed(1)}`).join(' '));
  });
  return known.length ? most : NaN;
}

function remember(list, value) {
  list.push(value);
  if (list.length > kept) list.shift();
}

/* ---- figures as people read them */

function count(n) {
  if (!Number.isFinite(n)) return '-';
  return n.toLocaleString('en', {maximumFractionDigits: n < 10 ? 1 : 0});
}

function bytes(n) {
  let unit = 0;
  for (; n >= 1024 && unit < 4; unit++) n /= 1024;
  return `${count(n)} ${['B', 'KiB', 'MiB', 'GiB', 'TiB'][unit]}`;
}

function micros(us) {
  if (!Number.isFinite(us)) return '-';
  if (us < 1000) return `${us.toFixed(0)} µs`;
  return us < 1e6 ? `${(us / 1000).toFixed(us < 1e4 ? 2 : 1)} ms` : `${(us / 1e6).toFixed(2)} s`;
}

function duration(ms) {
  const s = Math.floor(ms / 1000);
  if (s < 120) return `${s} s`;
  if (s < 7200) return `${Math.floor(s / 60)} min`;
  return s < 172800 ? `${Math.floor(s / 3600)} h` : `${Math.floor(s / 86400)} d`;
}

/* ---- what has changed from one answer to the next */

let before = null; // the answer before; null: there is none that compares
let workersBefore = new Map(); // pid -> what its row had

const perSecond = (now, then, seconds) => (seconds > 0 ? Math.max(0, now - then) / seconds : NaN);

function isSameServer(a, b) {
  return a && a.pid === b.pid && a.uptime_seconds <= b.uptime_seconds;
}

/* The microseconds that this share of the requests since then has taken at most, by interpolation
 * in a bucket. */
function percentile(now, then, share) {
  const old = new Map(then.request_times_us.map(([from, , n]) => [from, n]));
  const fresh = now.request_times_us.map(([from, to, n]) => [from, to, n - (old.get(from) || 0)])
    .filter(([, , n]) => n > 0);
  let left = share * fresh.reduce((sum, [, , n]) => sum + n, 0);
  for (const [from, to, n] of fresh) {
    if (n >= left) return to === null ? from : from + left / n * (to - from);
    left -= n;
  }
  return NaN;
}

/* The first answer has nothing before it but what the server itself has kept. */
function requestRate(s, then, seconds) {
  if (then) return perSecond(s.totals.requests, then.totals.requests, seconds);
  return s.rates['1s'] ? s.rates['1s'].requests : NaN;
}

/* ---- the tiles */

const tiles = [
  {title: 'requests/s', lines: [''], show: count,
   of: (s, then, seconds) => [requestRate(s, then, seconds)]},
  {title: 'latency: p50, p99', lines: ['', 'second'], show: micros,
   of: (s, then) => (then ? [percentile(s, then, 0.5), percentile(s, then, 0.99)] : [NaN, NaN])},
  {title: 'connections', lines: [''], show: count, of: (s) => [s.totals.connections_open]},
  {title: 'queued', lines: [''], show: count, of: (s) => [s.queue.length]},
];

for (const tile of tiles) {
  const element = make('div', undefined, 'tile');
  tile.series = tile.lines.map(() => []);
  tile.plot = makePlot(tile.lines, 240, 56);
  tile.now = make('div', '-', 'now');
  tile.most = make('div', '', 'most');
  element.append(make('h3', tile.title), tile.now, tile.plot.svg, tile.most);
  byId('plots').append(element);
}

function showTiles(s, then, seconds) {
  for (const tile of tiles) {
    const values = s ? tile.of(s, then, seconds) : tile.lines.map(() => NaN);
    values.forEach((value, i) => remember(tile.series[i], value));
    const most = draw(tile.plot, tile.series);
    if (s) tile.now.textContent = values.map(tile.show).join(' · ');
    tile.most.textContent = Number.isFinite(most) ? `at most ${tile.show(most)}` : '';
  }
}

/* ---- the workers: a row each, which stays as long as its process */

const rows = new Map(); // pid -> its row

function addRow(pid) {
  const row = {element: make('tr'), plot: makePlot([''], 112, 22), series: [], cells: {}};
  for (const name of ['slot', 'pid', 'state', 'rate', 'plot', 'connections', 'queue', 'cpu', 'memory', 'ends']) {
    row.cells[name] = make('td');
    row.element.append(row.cells[name]);
  }
  row.cells.state.className = 'word';
  row.cells.plot.append(row.plot.svg);
  rows.set(pid, row);
  return row;
}

function stateOf(worker) {
  if (worker.is_stalled) return ['hangs', 'bad'];
  if (worker.is_leaving) return ['leaving', 'fair'];
  return worker.is_ready ? ['accepts', 'good'] : ['starting', 'fair'];
}

function showWorker(worker, slot, seconds) {
  const row = rows.get(worker.pid) || addRow(worker.pid);
  const then = workersBefore.get(worker.pid);
  const rate = then ? perSecond(worker.requests, then.requests, seconds) : NaN;
  const cpu = then ? perSecond(worker.cpu_us, then.cpu_us, seconds) / 1e4 : NaN;
  const [state, mood] = stateOf(worker);
  remember(row.series, rate);
  draw(row.plot, [row.series]);
  const words = {slot: worker.slot, pid: worker.pid, state, rate: count(rate),
    connections: count(worker.connections_open), queue: slot ? count(slot.queued) : '-',
    cpu: Number.isFinite(cpu) ? `${cpu.toFixed(0)} %` : '-', memory: bytes(worker.rss_bytes),
    ends: slot ? count(slot.ends) : '-'};
  for (const name of Object.keys(words)) row.cells[name].textContent = words[name];
  row.cells.state.className = `word ${mood}`;
  return row.element;
}

function showStandbys(standbys) {
  const {end, hang} = standbys.successions;
  if (!standbys.is_on && end + hang === 0) return '';
  const asleep = `Standbys: ${standbys.is_on ? `${count(standbys.asleep)} asleep` : 'off'}`;
  if (end + hang === 0) return asleep;
  return `${asleep}; ${count(end + hang)} took over (${count(end)} after an end, ${count(hang)} after a hang), ` +
    `connections kept: ${count(standbys.connections_kept)}`;
}

function showWorkers(s, seconds) {
  const slots = new Map(s.slots.map((slot) => [slot.slot, slot]));
  const elements = s.workers.map((worker) => showWorker(worker, slots.get(worker.slot), seconds));
  for (const slot of s.slots.filter((one) => one.worker === null && !one.is_served)) {
    const element = make('tr');
    element.append(make('td', slot.slot), make('td', '-'), make('td', 'nobody accepts', 'word bad'));
    elements.push(element);
  }
  byId('workers').replaceChildren(...elements);
  const present = new Set(s.workers.map((worker) => worker.pid));
  for (const pid of rows.keys()) if (!present.has(pid)) rows.delete(pid);
  workersBefore = new Map(s.workers.map((worker) => [worker.pid, worker]));
  const ends = Object.entries(s.ended).filter(([, n]) => n > 0).map(([cause, n]) => `${cause} ${count(n)}`);
  byId('ends').textContent = [
    ends.length ? `Workers that have ended: ${ends.join(', ')}` : '', showStandbys(s.standbys),
  ].filter(Boolean).join('. ');
}

/* ---- the rest */

function showServer(s) {
  const state = byId('state');
  state.textContent = s.is_ready ? s.phase : `${s.phase}, not ready`;
  state.className = `state ${s.is_ready ? 'good' : s.phase === 'serving' ? 'bad' : 'fair'}`;
  document.title = `drover: ${state.textContent}`;
  byId('facts').textContent = [
    `${s.serves} at ${s.addresses.join(' ')}`, `version ${s.version}`, `pid ${s.pid}`,
    `up ${duration(s.uptime_seconds * 1000)}`, `generation ${s.generation}`,
    `${count(s.totals.requests)} requests on ${count(s.totals.connections_accepted)} connections`,
  ].join(' · ');
  byId('troubles').replaceChildren(...s.troubles.map((words) => make('li', words)));
}

function showEvents(s) {
  const newest = s.events.slice(-12).reverse();
  byId('events').replaceChildren(...newest.map((event) => {
    const date = new Date(event.date);
    const item = make('li', undefined, {error: 'bad', warn: 'fair'}[event.level]);
    const time = make('time', date.toLocaleTimeString('en', {hour12: false}));
    time.dateTime = date.toISOString();
    item.append(time, event.text);
    return item;
  }));
}

function show(s) {
  const then = isSameServer(before, s) ? before : null;
  const seconds = then ? (Date.parse(s.date) - Date.parse(then.date)) / 1000 : NaN;
  showServer(s);
  showTiles(s, then, seconds);
  showWorkers(s, seconds);
  showEvents(s);
  before = s;
}

/* ---- asking */

let goneSince = 0; // when the first request was not answered; 0: the last was

function showGone(why) {
  goneSince = goneSince || Date.now();
  byId('gone').textContent = `No answer from the server since ${duration(Date.now() - goneSince)}` +
    ` (${why}). It is asked again every second.`;
  byId('gone').hidden = false;
  byId('state').textContent = 'no answer';
  byId('state').className = 'state bad';
  document.title = 'drover: no answer';
  document.body.classList.add('is-gone');
  showTiles(null);
  before = null;
}

function showBack() {
  goneSince = 0;
  byId('gone').hidden = true;
  document.body.classList.remove('is-gone');
}

async function get() {
  const over = new AbortController();
  const timer = setTimeout(() => over.abort(), patience);
  try {
    const answer = await fetch('status.json', {cache: 'no-store', signal: over.signal});
    if (!answer.ok) throw new Error(`status ${answer.status}`);
    return await answer.json();
  } catch (error) {
    showGone(error.name === 'AbortError' ? `none within ${patience / 1000} s` : error.message);
    return null;
  } finally {
    clearTimeout(timer);
  }
}

async function ask() {
  const s = await get();
  setTimeout(ask, every);
  if (!s) return;
  showBack();
  show(s);
}

ask();
