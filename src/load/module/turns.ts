/** Counts the turns of the event loop in which operations are performed. HOT. */
export class Turns {
  private number = 0;
  private isOpen = false;
  private readonly end = (): void => {
    this.isOpen = false;
  };
  private readonly endSoon = (): void => process.nextTick(this.end);

  /** The number of the current turn. */
  get current(): number {
    if (!this.isOpen) {
      this.isOpen = true;
      this.number += 1;
      // A tick that a microtask asks for runs when no microtask is left, and before the next event is looked at.
      queueMicrotask(this.endSoon);
    }
    return this.number;
  }
}
