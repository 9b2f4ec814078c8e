import { ActionIcon, Button, Group, Select, Stack, Table, Text, TextInput, Title } from '@mantine/core'
import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query'
import { useState } from 'react'

import { api } from '../../../api/client'
import { readAll } from '../../../api/places'
import { useMay } from '../../../api/session'
import type { Channel, ChannelBuffer, Variant } from '../../../api/types'
import { Icon } from '../../../ui/Icon'
import { useFormats, useTexts } from '../../../ui/i18n/useTexts'
import { ItemSelect } from '../../../ui/ItemSelect'
import { notifyDone } from '../../../ui/notify'
import { Quantity } from '../../../ui/numbers'
import { Loading, Problem } from '../../../ui/states'
import { fromTyped, sign } from '../../../values/decimal'
import { channelTexts } from './texts'

/** Items of which a channel keeps back another quantity at a place. */
export function Buffers({ channel, onDone }: { channel: Channel; onDone: () => void }) {
  const t = useTexts(channelTexts)
  const formats = useFormats()
  const may = useMay()
  const client = useQueryClient()
  const key = ['channel-buffers', channel.id]
  const buffers = useQuery({ queryKey: key, queryFn: () => readAll<ChannelBuffer>('/v1/channels/{id}/buffers'.replace('{id}', channel.id)) })
  const set = useMutation({
    mutationFn: (body: { variant_id: string; site_id: string; buffer: string | null }) => api.put<ChannelBuffer>('/v1/channels/{id}/buffers', body, { path: { id: channel.id } }),
    onSuccess: async (row) => {
      notifyDone(row.buffer === null ? t('ownRemoved', { sku: row.sku }) : t('ownSet', { sku: row.sku, quantity: formats.quantity(row.buffer) }))
      await client.invalidateQueries({ queryKey: key })
      onDone()
    },
  })
  return (
    <Stack gap="sm" mt="xl" data-testid="buffers">
      <div>
        <Title order={2} size="h4">{t('ownTitle')}</Title>
        <Text size="sm" c="dimmed">{t('ownHint')}</Text>
      </div>
      {buffers.error ? <Problem error={buffers.error} retry={() => void buffers.refetch()} /> : null}
      {!buffers.data ? (
        buffers.error ? null : <Loading />
      ) : !buffers.data.length ? (
        <Text size="sm">{t('noOwn')}</Text>
      ) : (
        <Table>
          <Table.Thead>
            <Table.Tr>
              <Table.Th>{t('item')}</Table.Th>
              <Table.Th>{t('site')}</Table.Th>
              <Table.Th ta="right">{t('buffer')}</Table.Th>
              <Table.Th />
            </Table.Tr>
          </Table.Thead>
          <Table.Tbody>
            {buffers.data.map((row) => (
              <Table.Tr key={`${row.variant_id} ${row.site_id}`}>
                <Table.Td>{row.name} <Text component="span" size="xs" c="dimmed" className="mono">{row.sku}</Text></Table.Td>
                <Table.Td>{row.site_code}</Table.Td>
                <Table.Td ta="right"><Quantity value={row.buffer ?? '0'} unit={row.unit} /></Table.Td>
                <Table.Td w={40}>
                  {may('channels:write', row.site_id) ? (
                    <ActionIcon variant="subtle" color="gray" aria-label={t('remove', { sku: row.sku, site: row.site_code ?? '' })} onClick={() => set.mutate({ variant_id: row.variant_id, site_id: row.site_id, buffer: null })}>
                      <Icon name="close" size={16} />
                    </ActionIcon>
                  ) : null}
                </Table.Td>
              </Table.Tr>
            ))}
          </Table.Tbody>
        </Table>
      )}
      {set.error ? <Problem error={set.error} /> : null}
      {may('channels:write') && channel.sites.length ? <AddBuffer channel={channel} busy={set.isPending} set={(body) => set.mutate(body)} /> : null}
    </Stack>
  )
}

function AddBuffer({ channel, busy, set }: { channel: Channel; busy: boolean; set: (body: { variant_id: string; site_id: string; buffer: string }) => void }) {
  const t = useTexts(channelTexts)
  const formats = useFormats()
  const [chosen, setChosen] = useState<Variant | null>(null)
  const [count, setCount] = useState(0)
  const [siteId, setSiteId] = useState<string | null>(channel.sites[0]?.id ?? null)
  const [quantity, setQuantity] = useState('')
  const read = quantity.trim() ? fromTyped(quantity, formats.decimalMark) : null
  const bad = quantity.trim() && (read === null || sign(read) < 0) ? t('badQuantity') : null
  return (
    <form
      onSubmit={(event) => {
        event.preventDefault()
        if (chosen && siteId && read !== null && !bad) {
          set({ variant_id: chosen.id, site_id: siteId, buffer: read })
          setChosen(null)
          setCount(count + 1)
          setQuantity('')
        }
      }}
    >
      <Stack gap="xs" data-testid="add-buffer">
        <Text fw={600} size="sm">{t('addOwn')}</Text>
        <ItemSelect key={count} label={t('item')} placeholder={t('searchItem')} onChange={setChosen} testId="buffer-item" />
        <Group align="flex-start" grow>
          <Select label={t('site')} data={channel.sites.map((site) => ({ value: site.id, label: `${site.code} · ${site.name}` }))} value={siteId} onChange={setSiteId} allowDeselect={false} />
          <TextInput label={t('buffer')} inputMode="decimal" value={quantity} error={bad} onChange={(event) => setQuantity(event.currentTarget.value)} data-testid="buffer-quantity" />
        </Group>
        <Group>
          <Button type="submit" variant="default" loading={busy} disabled={!chosen || !siteId || read === null || !!bad} data-testid="buffer-set">{t('set')}</Button>
        </Group>
      </Stack>
    </form>
  )
}
