import { Button, Stack } from '@mantine/core'
import { useRouter } from '@tanstack/react-router'

import { useTexts } from '../../../ui/i18n/useTexts'
import { Page } from '../../../ui/Page'
import { Empty, Problem } from '../../../ui/states'
import { paths } from '../../../values/paths'
import { shellTexts } from './texts'

export function NotFound() {
  const t = useTexts(shellTexts)
  return (
    <main>
      <Page title={t('notFound')} testId="page-not-found">
        <Empty title={t('notFoundHint')} icon="search" action={<Button component="a" href={paths.overview()}>{t('toOverview')}</Button>} />
      </Page>
    </main>
  )
}

export function Crashed({ error }: { error: unknown }) {
  const t = useTexts(shellTexts)
  const router = useRouter()
  return (
    <Page title={t('crashed')}>
      <Stack maw={560}>
        <Problem error={error} retry={() => void router.invalidate()} />
      </Stack>
    </Page>
  )
}
