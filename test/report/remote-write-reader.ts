/** A series of a remote-write request, as a receiver reads it. */
export interface WrittenSeries {
  readonly labels: readonly (readonly [name: string, value: string])[];
  readonly samples: readonly (readonly [time: number, value: number | 'stale'])[];
}

/** Reads a request of Prometheus' remote write 1.0. Throws where it is none. */
export function readWriteRequest(compressed: Uint8Array): readonly WrittenSeries[] {
  return fieldsOf(uncompressed(compressed)).map(([field, content]) => {
    if (field !== 1) throw new Error(`field ${field} of a request`);
    const fields = fieldsOf(content as Uint8Array);
    return {
      labels: fields.flatMap(([at, label]) => (at === 1 ? [labelOf(label as Uint8Array)] : [])),
      samples: fields.flatMap(([at, sample]) => (at === 2 ? [sampleOf(sample as Uint8Array)] : [])),
    };
  });
}

function labelOf(content: Uint8Array): readonly [string, string] {
  const [name = '', value = ''] = fieldsOf(content).map(([, text]) =>
    new TextDecoder('utf-8', { fatal: true }).decode(text as Uint8Array),
  );
  return [name, value];
}

function sampleOf(content: Uint8Array): readonly [number, number | 'stale'] {
  const [[, value] = [0, 0], [, time] = [0, 0]] = fieldsOf(content);
  const view = new DataView((value as Uint8Array).slice().buffer);
  const isStale = view.getBigUint64(0, true) === 0x7ff0000000000002n;
  return [time as number, isStale ? 'stale' : view.getFloat64(0, true)];
}

/** Snappy's block format: literals and copies. */
function uncompressed(block: Uint8Array): Uint8Array {
  const [length, start] = varintAt(block, 0);
  const content = new Uint8Array(length);
  let [at, to] = [start, 0];
  while (at < block.length) {
    const tag = block[at++] ?? 0;
    if ((tag & 3) !== 0) throw new Error('a copy, which capbench does not write');
    let size = tag >> 2;
    if (size >= 60) {
      const bytes = size - 59;
      size = 0;
      for (let i = 0; i < bytes; i++) size += (block[at++] ?? 0) * 256 ** i;
    }
    content.set(block.subarray(at, at + size + 1), to);
    at += size + 1;
    to += size + 1;
  }
  if (at !== block.length || to !== length) throw new Error(`${to} bytes, expected ${length}`);
  return content;
}

function varintAt(bytes: Uint8Array, from: number): readonly [value: number, end: number] {
  let [value, at] = [0, from];
  for (let factor = 1; ; factor *= 128) {
    const byte = bytes[at++];
    if (byte === undefined) throw new Error('a number that does not end');
    value += (byte & 0x7f) * factor;
    if (byte < 0x80) return [value, at];
  }
}

/** The fields of a protobuf message. */
function fieldsOf(bytes: Uint8Array): readonly (readonly [field: number, value: number | Uint8Array])[] {
  const fields: (readonly [number, number | Uint8Array])[] = [];
  for (let at = 0; at < bytes.length; ) {
    const [key, from] = varintAt(bytes, at);
    const wire = key & 7;
    const [size, start] = wire === 2 ? varintAt(bytes, from) : [8, from];
    if (wire === 0) {
      const [value, end] = varintAt(bytes, from);
      fields.push([key >> 3, value]);
      at = end;
    } else {
      if (start + size > bytes.length) throw new Error('a field beyond the end');
      fields.push([key >> 3, bytes.subarray(start, start + size)]);
      at = start + size;
    }
  }
  return fields;
}
