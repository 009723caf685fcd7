//! Switches: list and show.

use crate::error::AppError;
use crate::house::House;
use crate::views::Viewer;
use rein_api::switches::{SwitchList, SwitchView};
use rein_domain::access::{Actor, Pattern, Verb};
use rein_domain::change::ChangeError;
use rein_domain::name::SwitchName;

impl House {
    /// All switches, by name.
    pub fn switches(&self, actor: &Actor) -> Result<SwitchList, AppError> {
        actor.can(Verb::Read, &Pattern::All)?;
        let image = self.image.read();
        let viewer = Viewer::new(self, &image, self.clock.now(), &actor.name);
        Ok(SwitchList { switches: image.world.switches().map(|s| viewer.switch(s)).collect() })
    }

    /// One switch.
    pub fn switch(&self, actor: &Actor, name: &str) -> Result<SwitchView, AppError> {
        actor.can(Verb::Read, &Pattern::All)?;
        let name: SwitchName = name.parse()?;
        let image = self.image.read();
        let Some(switch) = image.world.switch(&name) else {
            let near = image.world.near(&name);
            return Err(ChangeError::UnknownSwitch { name, near }.into());
        };
        Ok(Viewer::new(self, &image, self.clock.now(), &actor.name).switch(switch))
    }
}
