import { useState } from 'react';
import { Button, ComboBox, Input, Label, ListBox, ListBoxItem, Popover } from 'react-aria-components';
import { deviceTitle } from '../../analysis/host/devices.ts';
import type { AssignedNode, CaseDevice } from '../../engine/protocol/case.ts';
import { useApp } from '../state/app-state.ts';
import { setDevice } from '../state/case-actions.ts';
import { isDeviceFound } from './case-rows.ts';
import './device.css';

const ORIGIN_LABELS: Readonly<Record<AssignedNode['origin'], string>> = {
  chosen: 'Chosen here.',
  guest: "Named by a guest's definition.",
  error: 'Named by an error.',
};

/** Devices that are listed at once: what is typed narrows them down. */
const LISTED_MAX = 12;

/** Ids of hosts and PCI addresses are unique together. */
function keyOf({ hostId, device }: Pick<CaseDevice, 'hostId' | 'device'>): string {
  return `${hostId} ${device}`;
}

/** Its name and driver, without the address that is beside it. */
function nameOf({ device, ...about }: CaseDevice): string {
  return deviceTitle({ ...about, device: '' }).trim();
}

function noteOf({ group, isAssignable }: CaseDevice): string {
  const parts = [group === undefined ? '' : `group ${group}`, isAssignable ? '' : 'cannot be assigned'];
  return parts.filter(Boolean).join(' · ');
}

interface Listed {
  readonly id: string;
  readonly device: CaseDevice | undefined;
  /** Of the last entry: how many devices are not listed. */
  readonly more: number;
}

/** The chosen device first, then those that the text finds, then how many there are besides. */
function listed(devices: readonly CaseDevice[], assigned: CaseDevice | undefined, text: string): Listed[] {
  const found = devices.filter(
    (device) =>
      device !== assigned && isDeviceFound(text, device, `${device.hostName} group ${device.group ?? 'unknown'}`),
  );
  const shown = [...(assigned ? [assigned] : []), ...found.slice(0, LISTED_MAX)];
  const rows = shown.map((device): Listed => ({ id: keyOf(device), device, more: 0 }));
  const more = found.length - LISTED_MAX;
  return more > 0 ? [...rows, { id: 'more', device: undefined, more }] : rows;
}

function DeviceItem({ row, severalHosts }: { row: Listed; severalHosts: boolean }) {
  const { id, device, more } = row;
  if (!device) {
    return (
      <ListBoxItem id={id} textValue={`${more} more`} className="menu-item" isDisabled>
        <span className="second">{more} more: type to narrow down</span>
      </ListBoxItem>
    );
  }
  return (
    <ListBoxItem id={id} textValue={device.device} className="menu-item">
      <span>
        <span className="mono">{device.device}</span> {nameOf(device)}
      </span>
      <span className="second">
        {[severalHosts ? device.hostName : '', noteOf(device)].filter(Boolean).join(' · ')}
      </span>
    </ListBoxItem>
  );
}

function DeviceBox({ devices, assigned }: { devices: readonly CaseDevice[]; assigned: CaseDevice | undefined }) {
  const severalHosts = useApp((s) => (s.caseNode?.hosts.length ?? 0) > 1);
  /** What is being typed; undefined: the box shows the device. */
  const [typed, setTyped] = useState<string>();
  const shown = assigned?.device ?? '';
  return (
    <ComboBox
      items={listed(devices, assigned, typed === shown ? '' : (typed ?? ''))}
      inputValue={typed ?? shown}
      onInputChange={setTyped}
      selectedKey={assigned ? keyOf(assigned) : null}
      onSelectionChange={(key) => {
        setTyped(undefined);
        const chosen = devices.find((device) => keyOf(device) === key);
        if (chosen && chosen !== assigned) void setDevice(chosen.device, chosen.hostId);
      }}
      onOpenChange={(isOpen) => {
        if (!isOpen) setTyped(undefined);
      }}
      onBlur={() => setTyped(undefined)}
      allowsEmptyCollection
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
        <ListBox className="menu" renderEmptyState={() => <p className="hint">No such device.</p>}>
          {(row: Listed) => <DeviceItem row={row} severalHosts={severalHosts} />}
        </ListBox>
      </Popover>
    </ComboBox>
  );
}

const NO_DEVICES: readonly CaseDevice[] = [];
const NO_SENTENCES: readonly string[] = [];

/** The device to assign: it selects its group, and the answer is about it. */
export function DevicePanel() {
  const devices = useApp((s) => s.caseNode?.devices ?? NO_DEVICES);
  const node = useApp((s) => s.caseNode?.device);
  const missing = useApp((s) => s.caseNode?.missing ?? NO_SENTENCES);
  if (devices.length === 0 && missing.length === 0) return null;
  const assigned = node && devices.find((device) => keyOf(device) === keyOf(node));
  return (
    <section className="device" aria-label="Device to assign">
      <h2>Device to assign</h2>
      {devices.length > 0 && <DeviceBox devices={devices} assigned={assigned} />}
      {node && (
        <p className="second">
          {assigned && `${[nameOf(assigned), noteOf(assigned)].filter(Boolean).join(' · ')}. `}
          {ORIGIN_LABELS[node.origin]}{' '}
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
