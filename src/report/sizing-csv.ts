import type { Sizing } from '../model/sizing.ts';

const HEAD = [
  ...[
    'id',
    'provider',
    'cpus',
    'kind',
    'arch',
    'memory_bytes',
    'players_low',
    'players_high',
    'label',
    'ran_out',
  ],
  ...['players_per_box', 'boxes', 'currency', 'price_per_month', 'cost_per_month', 'cost_per_1000_players'],
  ...['traffic_bytes_per_month', 'price_read', 'source'],
];

/** RFC 4180; a number without a value is empty. A text that a spreadsheet would take for a formula is quoted as one. */
function cell(value: string | number | null): string {
  if (value === null) return '';
  const text = typeof value === 'number' ? String(value) : value.replace(/^[=+\-@\t\r]/, "'$&");
  return /[",\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
}

const money = (amount: number | null): number | null => (amount === null ? null : Number(amount.toFixed(2)));

/** The ranked tiers, one a line. */
export const sizingCsv = ({ fits, several, currency }: Sizing): string =>
  [
    HEAD,
    ...[...fits, ...several].map(
      ({ tier, capacity, players, boxes, price, cost, perThousandPlayers, traffic }) => [
        ...[tier.id, tier.provider, tier.cpus, tier.kind, tier.arch, tier.memoryBytes],
        ...[capacity.low, capacity.high, capacity.label, capacity.ranOut, players, boxes, currency],
        ...[
          money(price),
          money(cost),
          money(perThousandPlayers),
          traffic.bytes === null ? null : Math.round(traffic.bytes),
          tier.price?.read ?? null,
          tier.price?.source ?? null,
        ],
      ],
    ),
  ]
    .map((row) => `${row.map(cell).join(',')}\r\n`)
    .join('');
