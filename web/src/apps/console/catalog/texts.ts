import { defineTexts } from '../../../values/i18n'

export const catalogTexts = defineTexts({
  en: {
    title: 'Variants', lead: 'Everything that is stocked, one line a SKU.', searchHint: 'SKU, barcode or words', listPrice: 'List price',
    tracking: 'Tracking', barcodes: 'Barcodes', externalId: 'External id', archived: 'Archived', showArchived: 'Archived only',
    importFirst: 'Import your products from a file, or create the first one.', empty: 'No products yet', archive: 'Archive', toImport: 'Import products',
    archivedDone: { one: '{count} variant archived', other: '{count} variants archived' },
  },
  de: {
    title: 'Varianten', lead: 'Alles, was geführt wird: eine Zeile je SKU.', searchHint: 'SKU, Barcode oder Wörter', listPrice: 'Listenpreis',
    tracking: 'Verfolgung', barcodes: 'Barcodes', externalId: 'Externe Kennung', archived: 'Archiviert', showArchived: 'Nur archivierte',
    importFirst: 'Importieren Sie Ihre Produkte aus einer Datei, oder legen Sie das erste an.', empty: 'Noch keine Produkte', archive: 'Archivieren', toImport: 'Produkte importieren',
    archivedDone: { one: '{count} Variante archiviert', other: '{count} Varianten archiviert' },
  },
})
