//! Pages of eight knobs for a host's hardware controllers: the match first, then what the editor's
//! main page shows, in the order in which sound flows.

use nice_plug::prelude::{RemoteControlsContext, RemoteControlsPage, RemoteControlsSection};

use crate::editor::main_page;
use crate::params::Params;

/// Declares the pages.
pub fn declare(params: &Params, context: &mut impl RemoteControlsContext) {
    context.add_section("Match", |section| {
        section.add_page("Match", |page| {
            params.amount.add_to(page);
            params.glide.add_to(page);
            params.output.add_to(page);
            page.add_param(&params.listen);
            page.add_param(&params.search);
        });
    });
    context.add_section("Sound", |section| {
        for (name, rows) in main_page() {
            section.add_page(name, |page| {
                rows.iter().for_each(|&row| params.rows[row].add_to(page));
            });
        }
    });
}
