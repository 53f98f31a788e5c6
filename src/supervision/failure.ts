/** Something that was to go on ended by itself. */
export interface StackFailure {
  /** `postgres`, `world-2`, `watchdog`. */
  readonly component: string;
  readonly message: string;
  readonly hint: string;
}
