// What time it is for the daemon, whatever the browser's own clock says.

const LEAP = 2000; // ms by which the clock on the wall may leave the steady one before that is a leap

export class ServerClock {
  #perf;
  #wall;
  #gap; // of the clock on the wall to the steady one
  #ahead = 0; // ms in which the steady clock stood still: the machine slept
  #low = null; // bounds of what has to be added to the steady clock
  #high = null;

  /** @param {() => void} leapt is called when the machine seems to have slept, or its clock was set forward. */
  constructor(leapt = () => {}, perf = () => performance.now(), wall = () => Date.now()) {
    this.leapt = leapt;
    this.#perf = perf;
    this.#wall = wall;
    this.#gap = wall() - perf();
  }

  /** Whether the daemon has told the time yet. */
  get known() {
    return this.#high !== null;
  }

  /** Milliseconds that never go back. If in doubt more of them have passed than not: then a state expires. */
  steady() {
    const perf = this.#perf();
    const gap = this.#wall() - perf;
    if (gap - this.#gap > LEAP) {
      this.#ahead += gap - this.#gap;
      this.#gap = gap;
      queueMicrotask(this.leapt);
    } else if (gap - this.#gap < -LEAP) {
      this.#gap = gap; // set back: the steady clock goes on
    }
    return perf + this.#ahead;
  }

  /** The daemon has said `server` (ms) at some moment between these two of `steady`. */
  sample(server, sent, received) {
    const low = server - received;
    const high = server - sent;
    if (this.#low === null || low > this.#high || high < this.#low) {
      this.#low = low; // the first, or the daemon's clock was set
      this.#high = high;
    } else {
      this.#low = Math.max(this.#low, low);
      this.#high = Math.min(this.#high, high);
    }
  }

  /** The latest that it can be for the daemon, in ms since 1970; NaN while that is not known. */
  now() {
    const steady = this.steady();
    return this.#high === null ? NaN : steady + this.#high;
  }
}
