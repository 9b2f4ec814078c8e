import { Text, Title } from '@mantine/core'

import { useMay } from '../../../api/session'
import type { Variant } from '../../../api/types'
import { useFormats, useShared, useTexts, useWord } from '../../../ui/i18n/useTexts'
import { words } from '../../../ui/i18n/words'
import { MoneyText } from '../../../ui/numbers'
import css from './ledger.module.css'
import { variantTexts } from './texts'

/** What the catalogue knows: price, tracking, barcodes, attributes. */
export function About({ variant }: { variant: Variant }) {
  const t = useTexts(variantTexts)
  const s = useShared()
  const word = useWord(words)
  const formats = useFormats()
  const may = useMay()
  const facts: [string, React.ReactNode][] = [
    [s('product'), variant.product_name],
    [t('listPrice'), variant.list_price ? <MoneyText value={variant.list_price} /> : t('notPriced')],
    ...(may('costs:read') && variant.cost ? [[s('cost'), <MoneyText key="cost" value={variant.cost} />] as [string, React.ReactNode]] : []),
    [t('tracking'), word(variant.tracking)],
    ...Object.entries({ ...variant.options, ...variant.attributes }).map(([name, value]): [string, React.ReactNode] => [name, String(value)]),
    ...(variant.weight_g ? [[t('weight'), `${formats.quantity(String(variant.weight_g))} g`] as [string, React.ReactNode]] : []),
    ...(variant.dimensions_mm ? [[t('size'), `${variant.dimensions_mm.join(' × ')} mm`] as [string, React.ReactNode]] : []),
    ...(variant.external_id ? [[t('externalId'), variant.external_id] as [string, React.ReactNode]] : []),
  ]
  return (
    <section className={`card ${css.panel}`} aria-labelledby="about">
      <Title order={2} id="about" mb="xs">
        {t('details')}
      </Title>
      <dl className={css.meta}>
        {facts.map(([name, value]) => (
          <div key={name} style={{ display: 'contents' }}>
            <dt>{name}</dt>
            <dd>{value}</dd>
          </div>
        ))}
        <div style={{ display: 'contents' }}>
          <dt>{t('barcodes')}</dt>
          <dd data-testid="barcodes">
            {variant.barcodes.length
              ? variant.barcodes.map((barcode) => (
                  <div key={barcode.code}>
                    <span className="mono">{barcode.code}</span>{' '}
                    <Text component="span" size="xs" c="dimmed">
                      {t('packOf', { level: word(barcode.level), quantity: formats.quantity(barcode.quantity) })}
                    </Text>
                  </div>
                ))
              : t('noBarcodes')}
          </dd>
        </div>
      </dl>
    </section>
  )
}
