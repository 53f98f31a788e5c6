/** A request that is not served: its HTTP status, and why in words. */
export interface Refusal {
  readonly status: number;
  readonly why: string;
}

export const isRefusal = (value: object): value is Refusal => 'why' in value;
