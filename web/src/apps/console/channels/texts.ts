import { defineTexts } from '../../../values/i18n'

export const channelTexts = defineTexts({
  en: {
    title: 'Channels', lead: 'The shop fronts that sell our stock: from which places, and what each keeps back.', code: 'Code', sites: 'Sells from', buffer: 'Keeps back', own: 'Own buffers', newChannel: 'New channel', none: 'No channels yet', noneHint: 'A web shop or marketplace sells from some of your stores and warehouses. Make a channel for it, then reservations and availability can name it.',
    bufferHint: 'Whole units of each item and place that this channel does not offer.', badBuffer: 'A whole number, zero or above.', needed: 'This is needed.', saved: 'Saved.', archived: 'archived', archive: 'Archive', restore: 'Use again', archivedLabel: 'Archived', noSites: 'nowhere yet', sitesHint: 'Reservations and availability of this channel see these places only.',
    ownTitle: 'Other buffers', ownHint: 'Items of which this channel keeps back another quantity at a place.', noOwn: 'Every item follows the channel.', addOwn: 'Keep back another quantity', item: 'Item', quantity: 'Quantity', site: 'Place', set: 'Set', remove: 'Remove the buffer of {sku} at {site}', ownSet: 'Keeps back {quantity} of {sku}.', ownRemoved: '{sku} follows the channel again.', channel: 'Channel {code}', badQuantity: 'A number, zero or above.', searchItem: 'SKU, barcode or name',
  },
  de: {
    title: 'Kanäle', lead: 'Die Läden und Marktplätze, die unseren Bestand verkaufen: von welchen Plätzen, und was jeder zurückhält.', code: 'Code', sites: 'Verkauft aus', buffer: 'Hält zurück', own: 'Eigene Puffer', newChannel: 'Neuer Kanal', none: 'Noch keine Kanäle', noneHint: 'Ein Webshop oder Marktplatz verkauft aus einigen Ihrer Filialen und Lager. Legen Sie dafür einen Kanal an; dann können Reservierungen und Verfügbarkeit ihn nennen.',
    bufferHint: 'Ganze Einheiten je Artikel und Platz, die dieser Kanal nicht anbietet.', badBuffer: 'Eine ganze Zahl, null oder mehr.', needed: 'Das wird gebraucht.', saved: 'Gespeichert.', archived: 'archiviert', archive: 'Archivieren', restore: 'Wieder verwenden', archivedLabel: 'Archiviert', noSites: 'noch nirgends', sitesHint: 'Reservierungen und Verfügbarkeit dieses Kanals sehen nur diese Plätze.',
    ownTitle: 'Andere Puffer', ownHint: 'Artikel, von denen dieser Kanal an einem Platz eine andere Menge zurückhält.', noOwn: 'Jeder Artikel folgt dem Kanal.', addOwn: 'Andere Menge zurückhalten', item: 'Artikel', quantity: 'Menge', site: 'Platz', set: 'Setzen', remove: 'Puffer von {sku} in {site} entfernen', ownSet: 'Hält {quantity} von {sku} zurück.', ownRemoved: '{sku} folgt wieder dem Kanal.', channel: 'Kanal {code}', badQuantity: 'Eine Zahl, null oder mehr.', searchItem: 'SKU, Barcode oder Name',
  },
})
