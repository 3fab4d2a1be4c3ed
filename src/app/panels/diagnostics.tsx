import { useApp } from '../state/app-state.ts';
import { PlaceLink } from './place-link.tsx';

const WORDS = { info: 'note', warning: 'warning', error: 'error' } as const;

/** What was found in each file, what was not understood, and what looked wrong, with its place. */
export function DiagnosticsPanel() {
  const documents = useApp((s) => s.documents);
  if (documents.length === 0) return <p className="hint">Nothing is open.</p>;
  return (
    <div className="diagnostics">
      {documents.map((document) => (
        <section key={document.id} aria-label={document.title}>
          <h3>{document.title}</h3>
          <ul>
            {document.sources.map((source) => (
              <li key={source.name}>
                <strong>
                  <PlaceLink source={source.name} line={undefined} />
                </strong>{' '}
                {source.formats.length > 0 ? source.formats.join(', ') : 'no known format'}: {source.facts} facts
                {source.operations > 0 && `, ${source.operations} operations`}, {source.lines} lines
                {source.unrecognized > 0 && `, ${source.unrecognized} not understood`}
                {source.unrecognized > 0 && (
                  <details>
                    <summary>The first lines that were not understood</summary>
                    <pre>{source.samples.map((s) => `${String(s.line).padStart(6)}  ${s.text}`).join('\n')}</pre>
                  </details>
                )}
              </li>
            ))}
            {document.diagnostics.map((d) => (
              <li key={`${d.source}:${d.line}:${d.code}:${d.message}`} className={`severity-${d.severity}`}>
                <span className="severity">{WORDS[d.severity]}</span> {d.message}{' '}
                <PlaceLink source={d.source} line={d.line} /> <span className="second">· {d.code}</span>
              </li>
            ))}
            {document.diagnosticsMore > 0 && <li>and {document.diagnosticsMore} more</li>}
          </ul>
        </section>
      ))}
    </div>
  );
}
