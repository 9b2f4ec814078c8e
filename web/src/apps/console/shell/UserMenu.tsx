import { Avatar, Button, Divider, Popover, SegmentedControl, Stack, Text, UnstyledButton, VisuallyHidden, useMantineColorScheme } from '@mantine/core'
import { useDisclosure } from '@mantine/hooks'
import { useQueryClient } from '@tanstack/react-query'
import { useNavigate, useRouter } from '@tanstack/react-router'

import { api } from '../../../api/client'
import { useMe } from '../../../api/session'
import { stream } from '../../../api/stream'
import { Icon } from '../../../ui/Icon'
import { useLanguage, useTexts, useWord } from '../../../ui/i18n/useTexts'
import { words } from '../../../ui/i18n/words'
import { paths } from '../../../values/paths'
import type { Locale } from '../../../values/i18n'
import { shellTexts } from './texts'

export function UserMenu() {
  const t = useTexts(shellTexts)
  const word = useWord(words)
  const me = useMe()
  const client = useQueryClient()
  const navigate = useNavigate()
  const router = useRouter()
  const { locale, choose } = useLanguage()
  const { colorScheme, setColorScheme } = useMantineColorScheme()
  const logout = async () => {
    await api.delete('/v1/session').catch(() => {})
    stream.stop()
    client.clear()
    await navigate({ href: paths.login() })
  }
  const hasAccount = paths.account() in router.routesByPath
  const [opened, { toggle, close }] = useDisclosure(false)
  // No role "menu": it holds choices beside commands.
  return (
    <Popover opened={opened} onDismiss={close} position="bottom-end" width={270} trapFocus returnFocus shadow="md">
      <Popover.Target>
        <UnstyledButton onClick={toggle} data-testid="user-menu">
          <Avatar size={34} color="spruce" radius="xl" name={me?.name} variant="light" />
          <VisuallyHidden>
            {t('userMenu')}: {me?.name}
          </VisuallyHidden>
        </UnstyledButton>
      </Popover.Target>
      <Popover.Dropdown p="xs" aria-label={t('userMenu')}>
        <Stack gap={6}>
          <div style={{ padding: '4px 6px' }}>
            <Text fw={600} className="clip">
              {me?.name}
            </Text>
            <Text size="xs" c="dimmed" className="clip">
              {me?.roles.map(word).join(', ')}
            </Text>
          </div>
          <Divider />
          <Text size="xs" c="dimmed" px={6}>
            {t('language')}
          </Text>
          <SegmentedControl fullWidth size="xs" value={locale} onChange={(next) => choose(next as Locale)} data={[{ value: 'en', label: 'English' }, { value: 'de', label: 'Deutsch' }]} aria-label={t('language')} />
          <Text size="xs" c="dimmed" px={6}>
            {t('look')}
          </Text>
          <SegmentedControl
            fullWidth
            size="xs"
            value={colorScheme}
            onChange={(next) => setColorScheme(next as 'light' | 'dark' | 'auto')}
            data={[{ value: 'light', label: t('light') }, { value: 'dark', label: t('dark') }, { value: 'auto', label: t('auto') }]}
            aria-label={t('look')}
          />
          <Divider />
          {hasAccount ? (
            <Button variant="subtle" color="gray" fullWidth justify="flex-start" leftSection={<Icon name="user" size={16} />} onClick={() => (close(), void navigate({ href: paths.account() }))} data-testid="account">
              {t('account')}
            </Button>
          ) : null}
          <Button variant="subtle" color="gray" fullWidth justify="flex-start" leftSection={<Icon name="logout" size={16} />} onClick={() => void logout()} data-testid="logout">
            {t('logout')}
          </Button>
        </Stack>
      </Popover.Dropdown>
    </Popover>
  )
}
