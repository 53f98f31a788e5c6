/** Why a part of the report has no figures. */
export interface Absence {
  /** A path in report.json; what is below it is meant too: `database`, `database.walBytesPerSecond`. */
  readonly of: string;
  readonly because: string;
  /** It could have been read; nothing happened that it would be a figure of. */
  readonly event?: true | undefined;
}

/** A probe of something that somebody else runs, which may tell less than is asked. */
export interface PartialProbe {
  /** What it never told, and why. */
  absences(): readonly Absence[];
}
