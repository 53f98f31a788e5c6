import { safe } from './markup.ts';
import { STYLE } from './style.ts';

/** A part of a page that its contents lead to. */
export interface Section {
  readonly id: string;
  readonly title: string;
  /** Elements; a section without any is left out. */
  readonly parts: readonly string[];
}

/** One file that makes no request: contents, what stands above the sections (elements), and the sections. */
export function page(title: string, above: readonly string[], all: readonly Section[]): string {
  const sections = all.filter(({ parts }) => parts.some((part) => part !== ''));
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'; img-src data:">
<link rel="icon" href="data:,">
<title>${safe(title)}</title>
<style>${STYLE}</style>
</head>
<body>
<nav aria-label="Contents"><ul>${sections.map(({ id, title }) => `<li><a href="#${safe(id)}">${safe(title)}</a></li>`).join('')}</ul></nav>
<main>
${above.join('\n')}
${sections.map(({ id, title, parts }) => `<section id="${safe(id)}"><h2>${safe(title)}</h2>${parts.join('\n')}</section>`).join('\n')}
</main>
</body>
</html>
`;
}
