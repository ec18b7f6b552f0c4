// How many tasks a worker wants beyond its slots, so that tiny tasks need not wait for the broker's
// commit and long ones are not held back from idle workers. Pure.

const BACKLOG_MS = 20;
const BACKLOG_MOST_MS = 200;
const LONG_TASK_MS = 100;
const WEIGHT = 8; // a new measurement counts for 1/8 of the mean
const MEASURED_LEAST_MS = 0.000_1;

/**
 * The backlog follows the measured handler time: about what all slots finish in 20 ms, doubled (up to
 * ten times that) whenever the local queue ran empty while such tasks flowed, and none at all for tasks
 * of 100 ms and more.
 */
export class Prefetch {
  readonly #slots: number;
  readonly #tasksMax: number;
  #tasks = 0;
  #meanMs = 0; // exponentially weighted; 0 before the first measurement
  #mayGrow = false;
  #held = false;

  constructor(slots: number, tasksMax: number) {
    this.#slots = slots;
    this.#tasksMax = tasksMax;
  }

  /** A handler ran for `elapsedMs`. */
  observe(elapsedMs: number): void {
    const measured = Math.max(elapsedMs, MEASURED_LEAST_MS);
    this.#meanMs = this.#meanMs === 0 ? measured : this.#meanMs + (measured - this.#meanMs) / WEIGHT;
    this.#held = false;
    this.#fit();
  }

  /** The broker sent work. */
  refilled(): void {
    this.#mayGrow = true;
  }

  /** A slot found nothing to do. Grows at most once per refill. */
  ranEmpty(): void {
    if (!this.#mayGrow) return;
    this.#mayGrow = false;
    this.#tasks = Math.max(1, Math.min(this.#tasksMax, this.#tasks * 2));
    this.#fit();
  }

  /** A prefetched task waited too long: asks for none until a handler has ended again. */
  hold(): void {
    this.#held = true;
  }

  get tasks(): number {
    return this.#held ? 0 : this.#tasks;
  }

  /**
   * How many tasks the slots together finish in `timeMs`, at most `most`; 0 before the first measurement
   * and for tasks of 100 ms and more.
   */
  finishedIn(timeMs: number, most: number): number {
    if (this.#meanMs === 0 || this.#meanMs >= LONG_TASK_MS) return 0;
    return Math.min(Math.floor((timeMs * this.#slots) / this.#meanMs), most);
  }

  #fit(): void {
    const least = this.finishedIn(BACKLOG_MS, this.#tasksMax);
    const most = this.finishedIn(BACKLOG_MOST_MS, this.#tasksMax);
    this.#tasks = Math.max(least, Math.min(this.#tasks, most));
  }
}
