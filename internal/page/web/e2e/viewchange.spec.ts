import { expect, test } from '@playwright/test'
import { walk } from './viewchange.ts'

// The steps are those of docs/page.md, "A view change, step by step".
test('by keys alone: both certificates of a slot, the view-changes that show them, and the choice of the new view', async ({
  page,
}) => {
  await walk(page, async w => {
    const cell = (replica: number) =>
      page
        .getByRole('table')
        .getByRole('row', { name: /^1 ?1 req/ })
        .getByRole('cell')
        .nth(replica)

    await w.on('Shift+J', 'view-change · view 1', /^view-change of r2 to v1, .* P = \[v0 s1 d67d39c8\]/)
    await expect(page.locator('.inspector .warning')).toHaveText('Lost: nothing shows that it arrived')

    await w.on('2', 'Slot 1 is prepared at replica 2, 3 of 3 votes (view 0, d67d39c8)')
    await expect(w.detail).toHaveText('It has the votes of replicas 0, 2 and 3')
    await expect(cell(2)).toHaveAccessibleName('prepared in view 0, prepared by 3 of 3, committed by 0 of 3, d67d39c8')
    await expect(cell(3)).toHaveAccessibleName(/^pre-prepared in view 0, prepared by 2 of 3/)
    await expect(
      w.lead(
        'Because replica 2 receives a prepare for slot 1 in view 0 from replica 3: the vote that closed the quorum',
      ),
    ).toBeVisible()
    await expect(w.lead('and replica 2 receives a pre-prepare for slot 1 in view 0 from replica 0')).toBeVisible()

    await w.on('Shift+J', 'new-view · view 1', /^new-view v1, V = r0 r1 r3, O = \[\]/)
    await w.on('Shift+J', 'view-change · view 2', /^view-change of r3 to v2, .* P = \[v1 s1 e61b4479\]/)

    await w.on('2', 'Slot 1 is prepared at replica 3, 3 of 3 votes (view 1, e61b4479)')
    await expect(w.detail).toHaveText('It has the votes of replicas 0, 1 and 3')
    await expect(cell(3)).toHaveAccessibleName(/^prepared in view 1, prepared by 3 of 3, committed by 0 of 3/)

    await w.on('Shift+J', 'view-change · view 2', /^view-change of r2 to v2, .* P = \[v0 s1 d67d39c8\]/)
    await w.on('Shift+J', 'new-view · view 2', /^new-view v2, V = r1 r2 r3, O = \[s1 e61b4479\]/)
    await expect(
      w.sentences.getByRole('button', {
        name: /Slot 1 prepared as e61b4479 in view 1, as replica 3 shows, and as d67d39c8 in view 0, as replica 2 shows: the highest view decides \(V3\)$/,
      }),
    ).toHaveAttribute('aria-current', 'true')
    await expect(w.lead('Because replica 3 shows slot 1 in view 1 (e61b4479)')).toBeVisible()
    await expect(w.lead('and replica 2 shows slot 1 in view 0 (d67d39c8)')).toBeVisible()
    await expect(w.lead('and replica 1 shows nothing prepared')).toBeVisible()

    await w.on('1', 'view-change · view 2', /^view-change of r3 to v2, .* P = \[v1 s1 e61b4479\]/)

    await w.on('Shift+J', 'Client 1 has the answer to request 1, executed in slot 1')
    for (const replica of [0, 1, 3]) {
      await expect(cell(replica)).toHaveAccessibleName(/committed in view 2, .*, executed, e61b4479$/)
    }
  })
})
