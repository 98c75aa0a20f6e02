'use strict';

// Browsers open six connections to a server, of all tabs together: some must be left for everything else. The first
// sources are streams; further ones are pictures fetched again and again.
const MAX_STREAMS = 4;
const POLL_MS = 1000;
const POLL_TIMEOUT_MS = 4000;
const STOPPED_AFTER_MS = 3000;
// A stream that shows the same picture this long, while the source has new ones, is opened anew.
const FROZEN_AFTER_MS = 4000;
// A stream that the server does not know of after this time has ended; Chrome does not say so.
const OPENED_AFTER_MS = 3000;
const MIN_RETRY_MS = 1000;
const MAX_RETRY_MS = 30000;

const grid = document.getElementById('grid');
const summary = document.getElementById('summary');
const empty = document.getElementById('empty');
const tiles = new Map();

/** A wait that doubles with each failure, until something works again. */
class BackOff {
  constructor(first) { this.first = this.next = first; }
  reset() { this.next = this.first; }
  take() {
    const wait = this.next;
    this.next = Math.min(wait * 2, MAX_RETRY_MS);
    return wait;
  }
}

/** Few enough pixels to compare each second, enough to see movement. */
const canvas = document.createElement('canvas');
canvas.width = 64;
canvas.height = 36;
const pixels = canvas.getContext('2d', { willReadFrequently: true });

function fingerprint(image) {
  if (!image.naturalWidth) return null;
  pixels.drawImage(image, 0, 0, canvas.width, canvas.height);
  return pixels.getImageData(0, 0, canvas.width, canvas.height).data.join();
}

/** One source: its picture and what is said of it. */
class Tile {
  constructor(id) {
    this.id = id;
    this.element = document.getElementById('tile').content.firstElementChild.cloneNode(true);
    this.element.dataset.source = id;
    this.view = this.element.querySelector('.view');
    this.image = this.element.querySelector('img');
    this.element.querySelector('.name').textContent = id;
    this.retry = new BackOff(MIN_RETRY_MS);
    this.frozen = new BackOff(FROZEN_AFTER_MS);
    this.streaming = null;  // true: a stream; false: single pictures; null: nothing
    this.attempts = 0;
    this.listen();
  }

  path(kind) { return `${kind}/${encodeURIComponent(this.id)}?n=${this.attempts++}`; }

  listen() {
    const image = this.image;
    image.alt = `Live picture of ${this.id}`;
    // What an image says that has been let go of is no news.
    image.addEventListener('error', () => { if (image === this.image) this.failed(); });
    image.addEventListener('load', () => { if (image === this.image) this.retry.reset(); });
  }

  open(streaming) {
    if (this.streaming === streaming) return;
    this.close();
    this.streaming = streaming;
    this.show();
  }

  show() {
    clearTimeout(this.timer);
    this.timer = null;
    this.seen = null;
    this.seenAt = performance.now();
    this.shownAt = this.seenAt;
    this.patience = this.frozen.take();
    this.image.src = this.path(this.streaming ? 'stream' : 'snapshot');
  }

  /** Lets go of the connection, too: an image element without a document keeps it. */
  close() {
    clearTimeout(this.timer);
    this.timer = null;
    this.streaming = null;
    const image = this.image.cloneNode();
    image.removeAttribute('src');
    this.image.src = 'data:,';
    this.image.replaceWith(image);
    this.image = image;
    this.listen();
  }

  reopen() {
    const streaming = this.streaming;
    this.close();
    this.streaming = streaming;
    this.show();
  }

  failed() {
    if (this.streaming === null || this.timer) return;
    this.timer = setTimeout(() => this.reopen(), this.retry.take());
  }

  /** Called once a second with what the server says of the source. */
  update(state, now) {
    const news = this.frames === undefined ? 0 : state.frames - this.frames;
    const elapsed = now - (this.updated ?? now);
    if (elapsed > 0) {
      const rate = Math.max(0, news) * 1000 / elapsed;
      this.rate = this.rate === undefined ? rate : this.rate * 0.7 + rate * 0.3;
    }
    this.frames = state.frames;
    this.updated = now;

    const stopped = state.age_ms > STOPPED_AFTER_MS;
    this.say(stopped ? 'stopped' : 'live', stopped ? `No picture for ${duration(state.age_ms)}` : '',
             stopped ? 'stopped' : this.rate === undefined ? '' : `${this.rate.toFixed(this.rate < 9.5 ? 1 : 0)} fps`);
    if (this.streaming === false && news !== 0 && this.image.complete && !this.timer) {
      this.image.src = this.path('snapshot');
    }
    if (this.streaming && state.viewers === 0 && now - this.shownAt > OPENED_AFTER_MS) this.failed();
    if (this.streaming && !stopped && news > 0) this.watch(now);
    if (stopped) this.seenAt = now;
  }

  /** Opens the stream anew when its picture stands still though the source has new ones. */
  watch(now) {
    const seen = fingerprint(this.image);
    if (seen !== this.seen) {
      if (this.seen !== null) this.frozen.reset();
      this.seen = seen;
      this.seenAt = now;
    } else if (now - this.seenAt > this.patience && !this.timer) {
      // A picture may really stand still: the next time takes longer.
      this.reopen();
    }
  }

  say(state, notice, status) {
    this.element.classList.toggle('stopped', state === 'stopped');
    this.element.classList.toggle('lost', state === 'lost');
    this.view.dataset.notice = notice;
    this.element.querySelector('.status').textContent = status;
  }
}

function duration(ms) {
  const seconds = Math.round(ms / 1000);
  if (seconds < 120) return `${seconds} s`;
  const minutes = Math.round(seconds / 60);
  return minutes < 120 ? `${minutes} min` : `${Math.round(minutes / 60)} h`;
}

function arrange(sources) {
  for (const [id, tile] of tiles) {
    if (sources.some((source) => source.id === id)) continue;
    tile.close();
    tile.element.remove();
    tiles.delete(id);
  }
  for (const source of sources) {
    if (tiles.has(source.id)) continue;
    const tile = new Tile(source.id);
    tiles.set(source.id, tile);
    const next = [...grid.children].find((other) => other.dataset.source > source.id);
    grid.insertBefore(tile.element, next ?? null);
  }
}

function show(state) {
  const now = performance.now();
  arrange(state.sources);
  state.sources.forEach((source, index) => {
    const tile = tiles.get(source.id);
    tile.open(index < MAX_STREAMS);
    tile.update(source, now);
  });
  empty.hidden = tiles.size > 0;
  const count = (number, noun) => `${number} ${noun}${number === 1 ? '' : 's'}`;
  summary.textContent = `${count(tiles.size, 'source')}, ${count(state.viewers, 'stream')} being watched`;
  if (summary.classList.contains('lost')) {
    // Streams of the server that was lost have ended with it.
    summary.classList.remove('lost');
    for (const tile of tiles.values()) tile.reopen();
  }
}

function lost(wait) {
  summary.textContent = `The server does not answer; asking again in ${duration(wait)}`;
  summary.classList.add('lost');
  empty.hidden = true;
  for (const tile of tiles.values()) tile.say('lost', 'Connection lost', 'no connection');
}

const pollRetry = new BackOff(MIN_RETRY_MS);
let pollTimer = null;
let polling = false;

async function poll() {
  clearTimeout(pollTimer);
  if (polling || document.hidden) return;
  polling = true;
  let wait = POLL_MS;
  try {
    const answer = await fetch('state', { cache: 'no-store', signal: AbortSignal.timeout(POLL_TIMEOUT_MS) });
    if (!answer.ok) throw new Error(`state: ${answer.status}`);
    const state = await answer.json();
    pollRetry.reset();
    if (!document.hidden) show(state);
  } catch {
    wait = Math.min(pollRetry.take(), 5000);
    lost(wait);
  } finally {
    polling = false;
    pollTimer = setTimeout(poll, wait);
  }
}

// A page that nobody looks at needs no streams, and systems that suspend it break them.
document.addEventListener('visibilitychange', () => {
  if (document.hidden) {
    for (const tile of tiles.values()) tile.close();
  } else {
    poll();
  }
});
window.addEventListener('online', poll);
poll();
