import { Alert, Button, Group, Modal, Select, Stack, Text, TextInput } from '@mantine/core'
import { useMutation, useQuery } from '@tanstack/react-query'
import { useState } from 'react'

import { api } from '../../../api/client'
import { useSites } from '../../../api/places'
import { useMay } from '../../../api/session'
import type { Page, Party, ServePlan, Variant } from '../../../api/types'
import css from '../../../ui/detail.module.css'
import { useFormats, useShared, useTexts } from '../../../ui/i18n/useTexts'
import { ItemSelect } from '../../../ui/ItemSelect'
import { Quantity, When } from '../../../ui/numbers'
import { Problem } from '../../../ui/states'
import { fromTyped, sign } from '../../../values/decimal'
import { ruleTexts } from './ruleTexts'
import { STRATEGIES, type Strategy } from './strategies'

/** From which bins and lots a quantity would be served, for a customer on a day. */
export function ServesDialog({ onClose }: { onClose: () => void }) {
  const t = useTexts(ruleTexts)
  const s = useShared()
  const formats = useFormats()
  const sites = useSites()
  const may = useMay()
  const [item, setItem] = useState<Variant | null>(null)
  const [site, setSite] = useState<string | null>(null)
  const [quantity, setQuantity] = useState('1')
  const [customer, setCustomer] = useState<string | null>(null)
  const [day, setDay] = useState('')
  const [strategy, setStrategy] = useState<Strategy | null>(null)
  const customers = useQuery({ queryKey: ['customers', 'pick'], queryFn: () => api.get<Page<Party>>('/v1/customers', { query: { limit: 200 } }), enabled: may('parties:read') })
  const read = fromTyped(quantity, formats.decimalMark)
  const bad = read === null || sign(read) <= 0 ? t('badQuantity') : null
  const place = site ?? sites[0]?.id ?? null
  const ask = useMutation({
    mutationFn: () => api.post<ServePlan>('/v1/allocations/preview', { variant_id: item?.id, location_id: place, quantity: read, ...(customer ? { customer_id: customer } : {}), ...(day ? { ship_on: day } : {}), ...(strategy ? { strategy } : {}) }),
  })
  return (
    <Modal opened onClose={onClose} size="lg" title={t('serves')} closeButtonProps={{ 'aria-label': s('close') }}>
      <form
        onSubmit={(event) => {
          event.preventDefault()
          if (item && place && !bad) ask.mutate()
        }}
      >
        <Stack gap="sm" data-testid="serves-form">
          <Text size="sm" c="dimmed">{t('servesHint')}</Text>
          <ItemSelect label={t('item')} placeholder={t('searchItem')} onChange={setItem} testId="serves-item" />
          <Group grow align="flex-start">
            <Select label={t('at')} data={sites.map((each) => ({ value: each.id, label: `${each.code} · ${each.name}` }))} value={place} onChange={setSite} allowDeselect={false} searchable />
            <TextInput label={s('quantity')} inputMode="decimal" value={quantity} error={quantity.trim() ? bad : null} rightSection={item ? <Text size="xs" c="dimmed">{item.unit}</Text> : null} rightSectionWidth={52} onChange={(event) => setQuantity(event.currentTarget.value)} data-testid="serves-quantity" />
          </Group>
          <Group grow align="flex-start">
            <Select label={t('customer')} placeholder={t('anyone')} data={(customers.data?.data ?? []).map((each) => ({ value: each.id, label: `${each.code} · ${each.name}` }))} value={customer} onChange={setCustomer} searchable clearable />
            <TextInput type="date" label={t('shipOn')} value={day} onChange={(event) => setDay(event.currentTarget.value)} />
          </Group>
          <Select label={t('asked')} placeholder={t('byRule')} data={STRATEGIES.map((value) => ({ value, label: t(value) }))} value={strategy} onChange={(value) => setStrategy(value as Strategy | null)} clearable />
          <Group justify="flex-end">
            <Button type="submit" loading={ask.isPending} disabled={!item || !place || !!bad} data-testid="serves-ask">{t('ask')}</Button>
          </Group>
          {ask.error ? <Problem error={ask.error} /> : null}
          {ask.data ? <Plan plan={ask.data} /> : null}
        </Stack>
      </form>
    </Modal>
  )
}

function Plan({ plan }: { plan: ServePlan }) {
  const t = useTexts(ruleTexts)
  const formats = useFormats()
  const amount = (quantity: string) => `${formats.quantity(quantity)} ${plan.unit}`
  return (
    <Stack gap="xs" data-testid="serves-plan">
      <Text size="sm">{t(plan.strategy as Strategy)} · {t('good', { date: formats.date(`${plan.good_until}T12:00:00Z`) })}</Text>
      {plan.lines.length ? (
        <table className={css.rows}>
          <thead>
            <tr>
              <th scope="col">{t('bin')}</th>
              <th scope="col">{t('lot')}</th>
              <th scope="col">{t('expires')}</th>
              <th scope="col" className={css.n}>{t('take')}</th>
            </tr>
          </thead>
          <tbody>
            {plan.lines.map((line, index) => (
              <tr key={index}>
                <th scope="row" className="mono">{line.location_path}</th>
                <td className="mono">{line.lot_code ?? t('noLot')}</td>
                <td>{line.expires_on ? <When at={line.expires_on} form="date" /> : '–'}</td>
                <td className={css.n}><Quantity value={line.quantity} unit={plan.unit} /></td>
              </tr>
            ))}
          </tbody>
        </table>
      ) : null}
      {sign(plan.missing) > 0 ? <Alert color="amber">{t('missing', { quantity: amount(plan.missing) })}</Alert> : <Text size="sm">{t('covered')}</Text>}
      {sign(plan.too_old) > 0 ? <Alert color="amber">{t('tooOld', { quantity: amount(plan.too_old) })}</Alert> : null}
    </Stack>
  )
}
