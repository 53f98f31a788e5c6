/** Bytes of a WebSocket frame: header and payload, without the mask that clients add (RFC 6455, section 5.2). */
export const frameBytes = (payload: number): number =>
  payload + (payload < 126 ? 2 : payload < 65_536 ? 4 : 10);
/** The masking key that every frame of a client carries. */
export const MASK_BYTES = 4;
/** The longest message that is accepted: snapshots of a world are large, and a server that sends one does nothing wrong. */
export const LARGEST_FRAME = 16 * 2 ** 20;
