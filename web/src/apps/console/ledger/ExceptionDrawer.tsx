import { Button, Drawer, Group, Stack, Text } from '@mantine/core'

import { api } from '../../../api/client'
import { useMay } from '../../../api/session'
import type { ExceptionRow } from '../../../api/types'
import { Facts } from '../../../ui/Facts'
import { Go } from '../../../ui/Go'
import { useFormats, useShared, useTexts, useWord } from '../../../ui/i18n/useTexts'
import { words } from '../../../ui/i18n/words'
import { notifyDone } from '../../../ui/notify'
import { Quantity, When } from '../../../ui/numbers'
import { ReasonForm } from '../../../ui/ReasonForm'
import { paths } from '../../../values/paths'
import { deskTexts } from './deskTexts'

/** One exception: what, where, who, why; where to look; and the reason that settles it. */
/** Kept for programs: an id, and a quantity in smallest units. */
const RAW = new Set(['device', 'left', 'lot_id', 'condition'])
/** Exceptions of lots and serial numbers: the story, and what to do. */
const OF_LOTS: Partial<Record<string, ['heldSoldText' | 'serialTwiceText' | 'serialUnknownText' | 'lotText', 'heldSoldRemedy' | 'serialTwiceRemedy' | 'serialUnknownRemedy' | 'lotRemedy']>> = {
  held_stock_sold: ['heldSoldText', 'heldSoldRemedy'],
  serial_already_used: ['serialTwiceText', 'serialTwiceRemedy'],
  serial_unknown: ['serialUnknownText', 'serialUnknownRemedy'],
  lot_overdrawn: ['lotText', 'lotRemedy'],
}

export function ExceptionDrawer({ row, onClose, onDone }: { row: ExceptionRow | null; onClose: () => void; onDone: () => Promise<unknown> }) {
  const s = useShared()
  const word = useWord(words)
  return (
    <Drawer opened={row !== null} onClose={onClose} position="right" size="lg" title={row ? word(row.kind) : ''} closeButtonProps={{ 'aria-label': s('close') }}>
      {row ? <Details row={row} onClose={onClose} onDone={onDone} /> : null}
    </Drawer>
  )
}

function Details({ row, onClose, onDone }: { row: ExceptionRow; onClose: () => void; onDone: () => Promise<unknown> }) {
  const t = useTexts(deskTexts)
  const s = useShared()
  const detailWord = useWord(deskTexts)
  const word = useWord(words)
  const formats = useFormats()
  const may = useMay()
  const site = row.site_code ?? '–'
  const code = typeof row.detail.code === 'string' ? row.detail.code : ''
  const ofLots = OF_LOTS[row.kind]
  const story =
    row.kind === 'oversold'
      ? t('oversoldText', { quantity: formats.quantity(row.quantity), unit: row.unit ?? '', name: row.name ?? '–', site })
      : row.kind === 'unresolved_item'
        ? t('unresolvedText', { code })
        : row.kind === 'drift'
          ? t('driftText')
          : ofLots
            ? t(ofLots[0], { site, code, name: row.name ?? '–' })
            : t('otherText', { site })
  const remedy = row.kind === 'oversold' ? t('oversoldRemedy') : row.kind === 'unresolved_item' ? t('unresolvedRemedy') : row.kind === 'drift' ? t('driftRemedy') : ofLots ? t(ofLots[1]) : null
  const more = Object.entries(row.detail).filter(([name, value]) => !RAW.has(name) && (typeof value === 'string' || typeof value === 'number'))
  const resolvable = row.can.includes('resolve') && may('exceptions:resolve', row.site_id)
  return (
    <Stack data-testid="exception">
      <Text>{story}</Text>
      {remedy && row.state === 'open' ? (
        <Text size="sm" c="dimmed">
          {t('remedy')}: {remedy}
        </Text>
      ) : null}
      <Group gap="xs">
        {row.variant_id ? (
          <Button component={Go} href={paths.variant(row.variant_id, { site_id: row.site_id ?? undefined })} size="xs" variant="default">
            {t('openVariant')}
          </Button>
        ) : code && may('catalog:read') ? (
          <Button component={Go} href={paths.variants({ q: code })} size="xs" variant="default">
            {t('findVariant')}
          </Button>
        ) : null}
        {typeof row.detail.lot_id === 'string' && may('stock:read', row.site_id) ? (
          <Button component={Go} href={paths.lot(row.detail.lot_id)} size="xs" variant="default">
            {s('lot')}
          </Button>
        ) : code && ofLots && may('stock:read', row.site_id) ? (
          <Button component={Go} href={paths.lots({ q: code })} size="xs" variant="default">
            {t('lookUp')}
          </Button>
        ) : null}
        {row.source.type === 'sale' && may('sales:read', row.site_id) ? (
          <Button component={Go} href={paths.sale(row.source.id)} size="xs" variant="default">
            {t('openSale')}
          </Button>
        ) : null}
        {row.posting_id && row.kind !== 'unresolved_item' && may('stock:read', row.site_id) ? (
          <Button component={Go} href={paths.posting(row.posting_id)} size="xs" variant="default">
            {t('openPosting')}
          </Button>
        ) : null}
      </Group>
      <Facts
        facts={[
          [t('happenedAt'), <When key="at" at={row.opened_at} />],
          [t('where'), site],
          [t('by'), row.actor.name],
          [s('source'), word(row.source.type)],
          [t('missing'), row.quantity ? <Quantity key="q" value={row.quantity} unit={row.unit ?? undefined} /> : null],
          ...more.map(([name, value]): [string, React.ReactNode] => [detailWord(name), name === 'quantity' ? formats.quantity(String(value)) : String(value)]),
          [t('resolution'), row.resolution],
          [t('decided'), row.resolved_at ? <span key="r"><When at={row.resolved_at} /> · {row.resolved_by?.name}</span> : null],
        ]}
      />
      {resolvable ? (
        <ReasonForm
          label={t('resolveLabel')}
          submit={t('resolve')}
          run={async (reason) => {
            await api.post('/v1/exceptions/{id}/resolve', { reason }, { path: { id: row.id } })
            notifyDone(t('resolved'))
            await onDone()
          }}
          onDone={onClose}
          testId="resolve-form"
        />
      ) : null}
    </Stack>
  )
}
