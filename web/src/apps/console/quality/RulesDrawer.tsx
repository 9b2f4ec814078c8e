import { Button, Checkbox, Drawer, Group, NumberInput, Select, Stack, Text, VisuallyHidden } from '@mantine/core'
import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query'
import { useState } from 'react'

import { api } from '../../../api/client'
import { readAll } from '../../../api/places'
import { useMay } from '../../../api/session'
import type { LotPolicy, Variant } from '../../../api/types'
import css from '../../../ui/detail.module.css'
import { useShared, useTexts } from '../../../ui/i18n/useTexts'
import { ItemSelect } from '../../../ui/ItemSelect'
import { notifyDone } from '../../../ui/notify'
import { Loading, Problem } from '../../../ui/states'
import { STRATEGIES, type Strategy } from './strategies'
import { ruleTexts } from './ruleTexts'

const KEY = ['lot-policies']

/** What rules the lots of an item: which lot leaves first, whether a certificate is waited for, when an end is near. */
export function RulesDrawer({ onClose }: { onClose: () => void }) {
  const t = useTexts(ruleTexts)
  const s = useShared()
  const writable = useMay()('catalog:write')
  const [edited, setEdited] = useState<LotPolicy | null>(null)
  const found = useQuery({ queryKey: KEY, queryFn: () => readAll<LotPolicy>('/v1/lot-policies', {}) })
  return (
    <Drawer opened onClose={onClose} position="right" size="lg" title={t('rules')} closeButtonProps={{ 'aria-label': s('close') }}>
      <Stack data-testid="lot-rules">
        <Text size="sm" c="dimmed">{t('rulesHint')}</Text>
        {found.error ? (
          <Problem error={found.error} retry={() => void found.refetch()} />
        ) : !found.data ? (
          <Loading />
        ) : !found.data.length ? (
          <Text>{t('noRules')}</Text>
        ) : (
          <div className={css.scroll} tabIndex={0} role="group" aria-label={t('rules')}>
            <table className={css.rows}>
              <thead>
                <tr>
                  <th scope="col">{t('item')}</th>
                  <th scope="col">{t('first')}</th>
                  <th scope="col">{t('certificate')}</th>
                  <th scope="col" className={css.n}>{t('near')}</th>
                  <th scope="col"><VisuallyHidden>{t('change')}</VisuallyHidden></th>
                </tr>
              </thead>
              <tbody>
                {found.data.map((rule) => (
                  <tr key={rule.product_id ?? rule.variant_id}>
                    <th scope="row">{rule.title ?? '–'}<Text size="xs" c="dimmed">{t(rule.product_id ? 'product' : 'variant')}</Text></th>
                    <td>{t(rule.strategy as Strategy)}</td>
                    <td>{t(rule.needs_certificate ? 'waits' : 'notNeeded')}</td>
                    <td className={css.n}>{t('days', { count: rule.near_expiry_days })}</td>
                    <td className={css.n}>{writable ? <Button variant="subtle" size="compact-sm" onClick={() => setEdited(rule)} aria-label={t('changeOf', { what: rule.title ?? '' })}>{t('change')}</Button> : null}</td>
                  </tr>
                ))}
              </tbody>
            </table>
          </div>
        )}
        {writable ? <RuleForm key={edited ? `${edited.product_id ?? edited.variant_id} ${edited.version}` : 'new'} rule={edited} onDone={() => setEdited(null)} /> : null}
      </Stack>
    </Drawer>
  )
}

function RuleForm({ rule, onDone }: { rule: LotPolicy | null; onDone: () => void }) {
  const t = useTexts(ruleTexts)
  const s = useShared()
  const client = useQueryClient()
  const [item, setItem] = useState<Variant | null>(null)
  const [all, setAll] = useState(true)
  const [strategy, setStrategy] = useState<Strategy>((rule?.strategy as Strategy) ?? 'fefo')
  const [certificate, setCertificate] = useState(rule?.needs_certificate ?? false)
  const [near, setNear] = useState<string | number>(rule?.near_expiry_days ?? 30)
  const [count, setCount] = useState(0)
  const subject = rule ? (rule.product_id ? { product_id: rule.product_id } : { variant_id: rule.variant_id }) : item ? (all ? { product_id: item.product_id } : { variant_id: item.id }) : null
  const save = useMutation({
    mutationFn: () => api.post<LotPolicy>('/v1/lot-policies', { ...subject, strategy, needs_certificate: certificate, near_expiry_days: Number(near) }),
    onSuccess: async () => {
      notifyDone(t('saved'))
      setItem(null)
      setCount(count + 1)
      await client.invalidateQueries({ queryKey: KEY })
      onDone()
    },
  })
  return (
    <form
      onSubmit={(event) => {
        event.preventDefault()
        if (subject && near !== '') save.mutate()
      }}
    >
      <Stack gap="sm" data-testid="rule-form">
        <Text fw={600}>{rule ? t('changeOf', { what: rule.title ?? '' }) : t('newRule')}</Text>
        {rule ? null : (
          <>
            <ItemSelect key={count} label={t('item')} placeholder={t('searchItem')} onChange={setItem} testId="rule-item" />
            <Checkbox label={t('allOfProduct')} checked={all} onChange={(event) => setAll(event.currentTarget.checked)} />
          </>
        )}
        <Group grow align="flex-start">
          <Select label={t('first')} data={STRATEGIES.map((value) => ({ value, label: t(value) }))} value={strategy} onChange={(value) => setStrategy((value ?? 'fefo') as Strategy)} allowDeselect={false} data-testid="rule-strategy" />
          <NumberInput label={t('near')} description={t('nearHint')} value={near} onChange={setNear} min={0} max={3650} allowDecimal={false} />
        </Group>
        <Checkbox label={t('needsCertificate')} description={t('needsCertificateHint')} checked={certificate} onChange={(event) => setCertificate(event.currentTarget.checked)} data-testid="rule-certificate" />
        {save.error ? <Problem error={save.error} /> : null}
        <Group>
          <Button type="submit" loading={save.isPending} disabled={!subject || near === ''} data-testid="rule-save">{s('save')}</Button>
          {rule ? <Button variant="default" onClick={onDone}>{s('cancel')}</Button> : null}
        </Group>
      </Stack>
    </form>
  )
}
