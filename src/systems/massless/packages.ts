/** The optional packages that its processes load, with the versions that package.json names: the servers all, the load the first two. */
export const PACKAGES = {
  schema: '@colyseus/schema@3.0.76',
  msgpackr: '@colyseus/msgpackr@1.11.3',
  core: '@colyseus/core@0.16.20',
  transport: '@colyseus/ws-transport@0.16.5',
  driver: '@colyseus/redis-driver@0.16.1',
  presence: '@colyseus/redis-presence@0.16.4',
} as const;
