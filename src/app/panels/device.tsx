import { Button, ComboBox, Input, Label, ListBox, ListBoxItem, Popover } from 'react-aria-components';
import type { AssignedNode, CaseDevice } from '../../engine/protocol/case.ts';
import { useApp } from '../state/app-state.ts';
import { setDevice } from '../state/case-actions.ts';
import './device.css';

const ORIGIN_LABELS: Readonly<Record<AssignedNode['origin'], string>> = {
  chosen: 'Chosen here.',
  guest: "Named by a guest's definition.",
  error: 'Named by an error.',
};

/** Ids of hosts and PCI addresses are unique together. */
function keyOf({ hostId, device }: Pick<CaseDevice, 'hostId' | 'device'>): string {
  return `${hostId} ${device}`;
}

function noteOf({ name, class: kind, group, isAssignable, driver }: CaseDevice): string {
  return [
    name ?? kind ?? '',
    group === undefined ? '' : `group ${group}`,
    driver ?? '',
    isAssignable ? '' : 'cannot be assigned',
  ]
    .filter(Boolean)
    .join(' · ');
}

/** The device to assign: it selects its group, and the answer is about it. */
export function DevicePanel() {
  const node = useApp((s) => s.caseNode);
  const devices = node?.devices ?? [];
  const assigned = node?.device;
  const missing = node?.missing ?? [];
  if (devices.length === 0 && missing.length === 0) return null;
  const severalHosts = (node?.hosts.length ?? 0) > 1;
  const selectedKey = assigned ? keyOf(assigned) : null;
  return (
    <section className="device" aria-label="Device to assign">
      <h2>Device to assign</h2>
      {devices.length > 0 && (
        <ComboBox
          defaultItems={devices.map((device) => ({ ...device, id: keyOf(device) }))}
          selectedKey={selectedKey}
          onSelectionChange={(key) => {
            if (key === selectedKey) return;
            const chosen = devices.find((device) => keyOf(device) === key);
            void setDevice(chosen?.device ?? null);
          }}
          menuTrigger="input"
        >
          <Label className="visually-hidden">Device to assign</Label>
          <div className="device-box">
            <Input data-testid="device" placeholder="All that can be assigned" />
            <Button className="button" aria-label="Show the devices">
              <span aria-hidden="true">▾</span>
            </Button>
          </div>
          <Popover className="popover">
            <ListBox className="menu">
              {(device: CaseDevice & { id: string }) => (
                <ListBoxItem id={device.id} textValue={device.device} className="menu-item">
                  <span>
                    <span className="mono">{device.device}</span>
                    {severalHosts && <span className="second"> {device.hostName}</span>}
                  </span>
                  <span className="second">{noteOf(device)}</span>
                </ListBoxItem>
              )}
            </ListBox>
          </Popover>
        </ComboBox>
      )}
      {assigned && (
        <p className="second">
          {ORIGIN_LABELS[assigned.origin]}{' '}
          <button type="button" className="link" onClick={() => void setDevice(null)}>
            Assign none
          </button>
        </p>
      )}
      {missing.map((sentence) => (
        <p key={sentence} className="severity-error">
          {sentence}
        </p>
      ))}
    </section>
  );
}
