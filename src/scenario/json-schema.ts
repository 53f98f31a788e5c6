import { z } from 'zod';
import { valueAt } from './finding.ts';
import { KIND } from './kinds.ts';
import type { KnownSystems } from './read-scenario.ts';
import { documentSchemas } from './schema.ts';
import type { SystemScenario } from './system-scenario.ts';

type Json = z.core.JSONSchema.BaseSchema;
type Properties = Record<string, Json>;

/** The keys of one system's scenario files. */
interface SystemFile {
  readonly properties: Properties;
  readonly required: readonly string[];
}

/** Adds the aliases with the schemas of the keys that they stand for. */
function addAliases(properties: Properties, { aliases = {} }: SystemScenario): void {
  for (const [alias, name] of Object.entries(aliases)) {
    const at = (dotted: string): string[] =>
      dotted
        .split('.')
        .flatMap((key) => ['properties', key])
        .slice(1);
    const around = valueAt(properties, at(alias).slice(0, -1)) as Properties;
    const [key = ''] = at(alias).slice(-1);
    around[key] = { ...(valueAt(properties, at(name)) as Json), description: `The same as ${name}` };
  }
}

/** The maps by operation, also with kinds that a scenario names itself. */
function addKinds(properties: Properties, { kinds }: SystemScenario): void {
  if (kinds === undefined) return;
  const propertyNames: Json = { pattern: KIND.source };
  Object.assign(valueAt(properties, ['load', 'properties', 'operations']) as Json, { propertyNames });
  const ofRules = ['rules', 'properties', 'rejectedPercent', 'anyOf', 1];
  const rejected = valueAt(properties, ofRules) as Json;
  const [any = {}] = Object.values(rejected.properties ?? {});
  Object.assign(rejected, { additionalProperties: any, propertyNames });
}

function formOf(form: SystemScenario, names: KnownSystems['names']): SystemFile {
  const schema = z.toJSONSchema(z.object(documentSchemas(form, names)), { io: 'input', target: 'draft-7' });
  const properties = schema.properties as Properties;
  addAliases(properties, form);
  addKinds(properties, form);
  return { properties, required: schema.required ?? [] };
}

/** Without duplicates. */
const distinct = (schemas: readonly Json[]): readonly Json[] => [
  ...new Map(schemas.map((schema) => [JSON.stringify(schema), schema])).values(),
];

/** The keys of all forms; a key is required if every form needs it. */
function fileOf(forms: readonly SystemFile[]): SystemFile {
  const keys = [...new Set(forms.flatMap(({ properties }) => Object.keys(properties)))];
  const properties = keys.map((key): [string, Json] => {
    const [only = {}, ...others] = distinct(
      forms.flatMap(({ properties: { [key]: one } }) => (one === undefined ? [] : [one])),
    );
    return [key, others.length === 0 ? only : ({ anyOf: [only, ...others] } as Json)];
  });
  const required = keys.filter((key) => forms.every((form) => form.required.includes(key)));
  return { properties: Object.fromEntries(properties), required };
}

/** Whether a document is of this form: of its system, and without (0) or with (1) the user's own players if there are two. */
function isOf(name: string, form: number, forms: number): Json {
  const system = { const: name };
  const worlds: Json = { type: 'object', properties: { protocol: system }, required: ['protocol'] };
  if (forms === 1) return { type: 'object', properties: { system }, required: ['system'] };
  return form === 0
    ? { type: 'object', properties: { system, players: worlds }, required: ['system'] }
    : { type: 'object', properties: { system, players: { not: worlds } }, required: ['system', 'players'] };
}

/**
 * The JSON Schema of scenario files, in the draft that editors support best. Keys of all systems are at the top, keys that
 * depend on `system:` or `players:` in conditions. Conflicts between keys are found by `capbench check` only.
 */
export function scenarioJsonSchema({ names, formsOf }: KnownSystems): object {
  const files = names.flatMap((name) =>
    formsOf(name).map((form, i, { length }) => ({ when: isOf(name, i, length), ...formOf(form, names) })),
  );
  const any = fileOf(files);
  const keys = Object.keys(any.properties);
  const own = keys.filter((key) => distinct(files.map(({ properties }) => properties[key] ?? {})).length > 1);
  return {
    $schema: 'http://json-schema.org/draft-07/schema#',
    title: 'A scenario of capbench',
    type: 'object',
    properties: Object.fromEntries(keys.map((key) => [key, own.includes(key) ? {} : any.properties[key]])),
    required: any.required,
    additionalProperties: false,
    allOf: files.map(({ when, properties, required }) => ({
      if: when,
      // biome-ignore lint/suspicious/noThenProperty: that is its name in JSON Schema
      then: {
        type: 'object',
        properties: Object.fromEntries(own.map((key) => [key, properties[key] ?? false])),
        required: required.filter((key) => !any.required.includes(key)),
      },
    })),
  };
}
