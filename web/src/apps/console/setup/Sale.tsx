import { Alert, Button, Group, Select, Stack } from '@mantine/core'
import { useMutation, useQuery } from '@tanstack/react-query'
import { useState } from 'react'

import { api } from '../../../api/client'
import { readAll } from '../../../api/places'
import { useMe } from '../../../api/session'
import type { Page, Register, SiteLevel, Variant } from '../../../api/types'
import { Icon } from '../../../ui/Icon'
import { useFormats, useShared, useTexts } from '../../../ui/i18n/useTexts'
import { Problem } from '../../../ui/states'
import { uuid7 } from '../../../values/uuid7'
import { setupTexts } from './texts'

/** One real sale through the same door tills use, and the stock before and after it. */
export function Sale({ finish }: { finish: () => void }) {
  const t = useTexts(setupTexts)
  const s = useShared()
  const formats = useFormats()
  const currency = useMe()?.organisation?.currency ?? 'EUR'
  const variants = useQuery({ queryKey: ['setup-variants'], queryFn: () => api.get<Page<Variant>>('/v1/variants', { query: { limit: 20 } }), staleTime: 0 })
  const registers = useQuery({ queryKey: ['registers'], queryFn: () => readAll<Register>('/v1/registers'), staleTime: 0 })
  const [chosen, setChosen] = useState<string | null>(null)
  const [at, setAt] = useState<string | null>(null)
  const [id, setId] = useState(() => uuid7())
  const variant = variants.data?.data.find((each) => each.id === chosen) ?? variants.data?.data[0]
  const register = registers.data?.find((each) => each.id === at) ?? registers.data?.[0]

  const onHand = async () => {
    const levels = await readAll<SiteLevel>('/v1/site-levels', { variant_id: variant!.id, site_id: register!.site_id })
    return levels[0]?.on_hand ?? '0'
  }
  const sell = useMutation({
    mutationFn: async () => {
      const before = await onHand()
      const price = variant!.list_price?.amount ?? '0.00'
      const line = { variant_id: variant!.id, quantity: '1', unit_price: price, net: price, tax: '0.00', discount: '0.00', total: price }
      await api.post('/v1/pos/sales', { id, register: register!.code, happened_at: new Date().toISOString(), currency: variant!.list_price?.currency ?? currency, lines: [line], tenders: [{ kind: 'cash', amount: price }] })
      setId(uuid7())
      return { before, after: await onHand() }
    },
  })
  return (
    <Stack>
      {variant && register ? (
        <Group align="flex-end">
          <Select label={s('product')} style={{ flex: '1 1 200px' }} data={variants.data?.data.map((each) => ({ value: each.id, label: `${each.name} · ${each.sku}` })) ?? []} value={variant.id} allowDeselect={false} onChange={setChosen} />
          {(registers.data?.length ?? 0) > 1 ? <Select label={s('site')} data={registers.data?.map((each) => ({ value: each.id, label: each.name })) ?? []} value={register.id} allowDeselect={false} onChange={setAt} /> : null}
          <Button leftSection={<Icon name="sale" size={16} />} loading={sell.isPending} onClick={() => sell.mutate()} data-testid="sell">
            {t('sell')}
          </Button>
        </Group>
      ) : variants.isPending || registers.isPending ? null : (
        <Alert color="amber">{t('noProduct')}</Alert>
      )}
      {sell.error ? <Problem error={sell.error} /> : null}
      {sell.data ? (
        <Alert icon={<Icon name="check" />} role="status" data-testid="sold">
          {t('sold', { site: register?.code ?? '', before: formats.quantity(sell.data.before), after: formats.quantity(sell.data.after) })}
        </Alert>
      ) : null}
      <Group justify="flex-end">
        <Button size="md" variant={sell.data || !variant ? 'filled' : 'default'} onClick={finish} data-testid="finish">
          {t('finish')}
        </Button>
      </Group>
    </Stack>
  )
}
