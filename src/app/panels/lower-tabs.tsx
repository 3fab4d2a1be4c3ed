import { type ComponentType, lazy } from 'react';
import { Tab, TabList, TabPanel, Tabs } from 'react-aria-components';
import { type TabName, useApp } from '../state/app-state.ts';
import { showTab } from '../state/tabs.ts';
import { TablePanel } from './table.tsx';
import './lower-tabs.css';
import { LoadBoundary } from './load-boundary.tsx';

// Loaded when they are opened.
const EventsPanel = lazy(async () => ({ default: (await import('./events.tsx')).EventsPanel }));
const QuestionsPanel = lazy(async () => ({ default: (await import('./questions.tsx')).QuestionsPanel }));
const HostsPanel = lazy(async () => ({ default: (await import('./hosts.tsx')).HostsPanel }));
const ModelsPanel = lazy(async () => ({ default: (await import('./models.tsx')).ModelsPanel }));
const BufferPanel = lazy(async () => ({ default: (await import('./buffer.tsx')).BufferPanel }));
const TextPanel = lazy(async () => ({ default: (await import('./text.tsx')).TextPanel }));
const DiagnosticsPanel = lazy(async () => ({ default: (await import('./diagnostics.tsx')).DiagnosticsPanel }));

const TABS: readonly { readonly id: TabName; readonly title: string; readonly Panel: ComponentType }[] = [
  { id: 'table', title: 'Table', Panel: TablePanel },
  { id: 'events', title: 'Events', Panel: EventsPanel },
  { id: 'questions', title: 'Fit', Panel: QuestionsPanel },
  { id: 'hosts', title: 'Hosts', Panel: HostsPanel },
  { id: 'models', title: 'Models', Panel: ModelsPanel },
  { id: 'buffer', title: 'Buffer', Panel: BufferPanel },
  { id: 'text', title: 'Text', Panel: TextPanel },
  { id: 'diagnostics', title: 'Diagnostics', Panel: DiagnosticsPanel },
];

/** The tabs below the timeline. */
export function LowerTabs() {
  const tab = useApp((s) => s.tab);
  const diagnostics = useApp((s) => s.documents.reduce((sum, d) => sum + d.diagnostics.length + d.diagnosticsMore, 0));
  return (
    <Tabs
      className="tabs"
      selectedKey={tab}
      onSelectionChange={(key) => {
        const chosen = TABS.find(({ id }) => id === key);
        if (chosen) showTab(chosen.id);
      }}
    >
      <div className="tabs-head">
        <TabList aria-label="Details" className="tab-list">
          {TABS.map(({ id, title }) => (
            <Tab key={id} id={id} className="tab">
              {title}
              {id === 'diagnostics' && diagnostics > 0 ? ` (${diagnostics})` : ''}
            </Tab>
          ))}
        </TabList>
      </div>
      {TABS.map(({ id, Panel }) => (
        <TabPanel key={id} id={id} className="tab-panel">
          <LoadBoundary fallback={<p className="hint">Loading…</p>}>
            <Panel />
          </LoadBoundary>
        </TabPanel>
      ))}
    </Tabs>
  );
}
