// The daemon's time, whatever the browser's own clock shows.

const LEAP = 2000; // ms of difference between wall clock and steady clock that count as a leap

export class ServerClock {
  #perf;
  #wall;
  #gap; // difference between wall clock and steady clock
  #ahead = 0; // ms in which the steady clock stood still because the machine slept
  #low = null; // bounds of the offset from the steady clock to the daemon's time
  #high = null;

  /** @param {() => void} leapt is called if the machine has slept or its clock was set forward. */
  constructor(leapt = () => {}, perf = () => performance.now(), wall = () => Date.now()) {
    this.leapt = leapt;
    this.#perf = perf;
    this.#wall = wall;
    this.#gap = wall() - perf();
  }

  /** Whether the daemon's time is known yet. */
  get known() {
    return this.#high !== null;
  }

  /** Milliseconds that never go back. In doubt the clock runs ahead, so that states expire early rather than late. */
  steady() {
    const perf = this.#perf();
    const gap = this.#wall() - perf;
    if (gap - this.#gap > LEAP) {
      this.#ahead += gap - this.#gap;
      this.#gap = gap;
      queueMicrotask(this.leapt);
    } else if (gap - this.#gap < -LEAP) {
      this.#gap = gap; // set back: the steady clock continues
    }
    return perf + this.#ahead;
  }

  /** The daemon's time was `server` (ms) at some moment between `sent` and `received` of `steady`. */
  sample(server, sent, received) {
    const low = server - received;
    const high = server - sent;
    if (this.#low === null || low > this.#high || high < this.#low) {
      this.#low = low; // the first sample, or the daemon's clock was set
      this.#high = high;
    } else {
      this.#low = Math.max(this.#low, low);
      this.#high = Math.min(this.#high, high);
    }
  }

  /** The latest possible time of the daemon, in ms since 1970; NaN while unknown. */
  now() {
    const steady = this.steady();
    return this.#high === null ? NaN : steady + this.#high;
  }
}
