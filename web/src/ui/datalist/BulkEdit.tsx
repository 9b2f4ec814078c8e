import { Button, Group, Modal, ScrollArea, Select, Stack, Table, Text, TextInput } from '@mantine/core'
import { useMutation } from '@tanstack/react-query'
import { useState } from 'react'

import { fromTyped } from '../../values/decimal'
import { useFormats, useShared, useTexts } from '../i18n/useTexts'
import { notifyDone } from '../notify'
import { Problem } from '../states'
import type { Bulk, BulkField, BulkResult } from './logic'
import { listTexts } from './texts'

const SHOWN = 50

/** One field, one new value, for many rows: first what it would do, then do it. */
export function BulkEdit({ bulk, ids, opened, onClose, onDone }: { bulk: Bulk; ids: string[]; opened: boolean; onClose: () => void; onDone: () => void }) {
  const t = useTexts(listTexts)
  const s = useShared()
  return (
    <Modal opened={opened} onClose={onClose} title={t('bulkTitle', { count: ids.length })} size="lg" closeButtonProps={{ 'aria-label': s('close') }}>
      <Form bulk={bulk} ids={ids} onDone={() => (onClose(), onDone())} />
    </Modal>
  )
}

function Form({ bulk, ids, onDone }: { bulk: Bulk; ids: string[]; onDone: () => void }) {
  const t = useTexts(listTexts)
  const s = useShared()
  const formats = useFormats()
  const [field, setField] = useState<BulkField | undefined>(bulk.fields[0])
  const [typed, setTyped] = useState('')
  const value = field?.kind === 'decimal' ? fromTyped(typed, formats.decimalMark) : typed
  const run = useMutation({ mutationFn: (preview: boolean) => bulk.run(ids, { [field!.name]: value ?? '' }, preview) })
  const preview = run.data
  const apply = async () => {
    const result = await run.mutateAsync(false)
    notifyDone(t('applied', { count: result.changed }))
    onDone()
  }
  const reset = () => run.reset()
  return (
    <Stack>
      <Group grow align="flex-start">
        <Select
          label={t('field')}
          data={bulk.fields.map((each) => ({ value: each.name, label: each.label }))}
          value={field?.name ?? null}
          allowDeselect={false}
          onChange={(name) => (setField(bulk.fields.find((each) => each.name === name)), setTyped(''), reset())}
        />
        {field?.kind === 'choice' ? (
          <Select label={t('newValue')} data={field.options ?? []} value={typed || null} onChange={(next) => (setTyped(next ?? ''), reset())} searchable />
        ) : (
          <TextInput label={t('newValue')} value={typed} inputMode={field?.kind === 'decimal' ? 'decimal' : undefined} onChange={(event) => (setTyped(event.currentTarget.value), reset())} data-testid="bulk-value" />
        )}
      </Group>
      {run.error ? <Problem error={run.error} /> : null}
      {preview ? <PreviewTable result={preview} /> : null}
      <Text size="sm" c="dimmed">
        {t('previewHint')}
      </Text>
      <Group justify="flex-end">
        <Button variant={preview ? 'default' : 'filled'} disabled={!value} loading={run.isPending} onClick={() => run.mutate(true)} data-testid="bulk-preview">
          {s('preview')}
        </Button>
        {preview ? (
          <Button disabled={preview.changed === 0} loading={run.isPending} onClick={() => void apply()} data-testid="bulk-apply">
            {s('apply')}
          </Button>
        ) : null}
      </Group>
    </Stack>
  )
}

function PreviewTable({ result }: { result: BulkResult }) {
  const t = useTexts(listTexts)
  if (!result.changed && !result.rows.some((row) => row.error)) return <Text>{t('noChange')}</Text>
  return (
    <div data-testid="bulk-result">
      <Text fw={600} mb="xs">
        {t('wouldChange', { count: result.changed })}
      </Text>
      <ScrollArea.Autosize mah={260} viewportProps={{ tabIndex: 0 }}>
        <Table>
          <Table.Thead>
            <Table.Tr>
              <Table.Th />
              <Table.Th>{t('before')}</Table.Th>
              <Table.Th>{t('after')}</Table.Th>
            </Table.Tr>
          </Table.Thead>
          <Table.Tbody>
            {result.rows.slice(0, SHOWN).map((row) => (
              <Table.Tr key={row.id}>
                <Table.Th scope="row">{row.label}</Table.Th>
                <Table.Td>{row.error ? <span className="bad">{row.error}</span> : Object.values(row.changes).map(([before]) => show(before)).join(', ')}</Table.Td>
                <Table.Td>{Object.values(row.changes).map(([, after]) => show(after)).join(', ')}</Table.Td>
              </Table.Tr>
            ))}
          </Table.Tbody>
        </Table>
      </ScrollArea.Autosize>
      {result.rows.length > SHOWN ? <Text size="sm">{t('andMore', { count: result.rows.length - SHOWN })}</Text> : null}
    </div>
  )
}

function show(value: unknown): string {
  if (value === null || value === undefined || value === '') return '–'
  if (typeof value === 'object' && 'amount' in value) return String(value.amount)
  return typeof value === 'object' ? JSON.stringify(value) : String(value)
}
