import { Anchor, Select, TextInput } from '@mantine/core'

import { api } from '../../../api/client'
import { useSites } from '../../../api/places'
import { useMe } from '../../../api/session'
import { useFormats, useShared, useTexts } from '../../../ui/i18n/useTexts'
import { fromTyped, sign } from '../../../values/decimal'
import { uuid7 } from '../../../values/uuid7'
import { Lines } from './Lines'
import { setupTexts } from './texts'

/** A few products with price and opening stock; a whole catalogue comes by import. */
export function Products({ next, onImport }: { next: () => void; onImport: () => void }) {
  const t = useTexts(setupTexts)
  const s = useShared()
  const { decimalMark } = useFormats()
  const sites = useSites()
  const currency = useMe()?.organisation?.currency ?? 'EUR'
  const number = (typed: string) => (typed.trim() ? fromTyped(typed, decimalMark) : '0')
  type Line = { id: string; sku: string; name: string; price: string; opening: string; site: string; adjustment: string }

  const save = async (line: Line) => {
    const price = line.price.trim() ? number(line.price) : null
    await api.post('/v1/variants', { id: line.id, sku: line.sku.trim(), name: line.name.trim(), ...(price ? { list_price: { amount: price, currency } } : {}) })
    const opening = number(line.opening)
    const place = line.site || sites[0]?.id
    if (opening && sign(opening) > 0 && place) {
      await api.post('/v1/adjustments', { id: line.adjustment, location_id: place, variant_id: line.id, quantity: opening, reason: 'found', note: t('openingNote') })
    }
  }
  const blank = () => ({ sku: '', name: '', price: '', opening: '', site: '', adjustment: uuid7() })
  return (
    <>
      <Anchor component="button" type="button" onClick={onImport} ta="left" data-testid="import-instead">
        {t('importInstead')}
      </Anchor>
      <Lines
        first={[blank()]}
        blank={blank}
        addLabel={t('addProduct')}
        isEmpty={(line) => !line.sku.trim() && !line.name.trim()}
        isWhole={(line) => Boolean(line.sku.trim() && line.name.trim() && number(line.price) && number(line.opening))}
        complaint={t('incomplete')}
        next={next}
        save={save}
        draw={(line, set) => (
          <>
            <TextInput label={s('sku')} w={120} value={line.sku} onChange={(event) => set({ sku: event.currentTarget.value })} data-testid="product-sku" />
            <TextInput label={s('name')} style={{ flex: '1 1 170px' }} value={line.name} onChange={(event) => set({ name: event.currentTarget.value })} data-testid="product-name" />
            <TextInput label={`${t('price')} (${currency})`} w={110} inputMode="decimal" value={line.price} onChange={(event) => set({ price: event.currentTarget.value })} data-testid="product-price" />
            <TextInput label={t('opening')} w={110} inputMode="decimal" value={line.opening} onChange={(event) => set({ opening: event.currentTarget.value })} data-testid="product-opening" />
            {sites.length > 1 ? <Select label={t('at')} w={140} data={sites.map((site) => ({ value: site.id, label: site.code }))} value={line.site || sites[0]!.id} allowDeselect={false} onChange={(site) => set({ site: site ?? '' })} /> : null}
          </>
        )}
      />
    </>
  )
}
