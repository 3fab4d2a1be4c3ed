import type { Diagnostic } from '../../engine/protocol/documents.ts';
import { counted } from '../../iova/format.ts';
import { useApp } from '../state/app-state.ts';
import { PlaceLink } from './place-link.tsx';
import './diagnostics.css';

const SEVERITY_LABELS: Readonly<Record<Diagnostic['severity'], string>> = {
  info: 'note',
  warning: 'warning',
  error: 'error',
};

/** What was found in each file, which lines were not recognized, and what is wrong in them. */
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
                {source.formats.length > 0 ? source.formats.join(', ') : 'unknown format'}:{' '}
                {counted(source.facts, 'fact')}
                {source.operations > 0 && `, ${counted(source.operations, 'operation')}`},{' '}
                {counted(source.lines, 'line')}
                {source.unrecognized > 0 && `, ${source.unrecognized} unrecognized`}
                {source.unrecognized > 0 && (
                  <details>
                    <summary>First unrecognized lines</summary>
                    <pre>{source.samples.map((s) => `${String(s.line).padStart(6)}  ${s.text}`).join('\n')}</pre>
                  </details>
                )}
              </li>
            ))}
            {document.diagnostics.map((d) => (
              <li key={`${d.source}:${d.line}:${d.code}:${d.message}`} className={`severity-${d.severity}`}>
                <span className="severity">{SEVERITY_LABELS[d.severity]}</span> {d.message}{' '}
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
