//! The host's component handler as the framework sees it: edits that the editor announces as one
//! reach the host as one group, which is one step of its undo.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use nice_plug::wrapper::vst3::vst3::Steinberg::Vst::{
    IComponentHandler, IComponentHandler2, IComponentHandler2Trait, IComponentHandlerTrait,
    ParamID, ParamValue,
};
use nice_plug::wrapper::vst3::vst3::Steinberg::{int32, tresult};
use nice_plug::wrapper::vst3::vst3::{Class, ComPtr};

use crate::door::Door;

/// A handler that passes everything on to the host's.
pub struct Grouping {
    host: ComPtr<IComponentHandler>,
    /// The host's handler again, where it knows groups.
    groups: Option<ComPtr<IComponentHandler2>>,
    door: Arc<Door>,
    /// Edits of the open group that are still to come; 0: none is open.
    left: AtomicUsize,
}

impl Grouping {
    /// A handler in front of `host`.
    pub fn new(
        host: ComPtr<IComponentHandler>,
        groups: Option<ComPtr<IComponentHandler2>>,
        door: Arc<Door>,
    ) -> Self {
        Self {
            host,
            groups,
            door,
            left: AtomicUsize::new(0),
        }
    }
}

impl Class for Grouping {
    type Interfaces = (IComponentHandler,);
}

impl IComponentHandlerTrait for Grouping {
    unsafe fn beginEdit(&self, id: ParamID) -> tresult {
        let edits = self.door.take_group();
        if let Some(groups) = self.groups.as_ref().filter(|_| edits > 1) {
            // SAFETY: the host's object.
            unsafe {
                // A group that was left open must not swallow this one.
                if self.left.swap(edits, Ordering::AcqRel) > 0 {
                    groups.finishGroupEdit();
                }
                groups.startGroupEdit();
            }
        }
        // SAFETY: the host's object.
        unsafe { self.host.beginEdit(id) }
    }

    unsafe fn performEdit(&self, id: ParamID, value: ParamValue) -> tresult {
        // SAFETY: the host's object.
        unsafe { self.host.performEdit(id, value) }
    }

    unsafe fn endEdit(&self, id: ParamID) -> tresult {
        // SAFETY: the host's object.
        let result = unsafe { self.host.endEdit(id) };
        let left = self.left.load(Ordering::Acquire);
        if left > 0 {
            self.left.store(left - 1, Ordering::Release);
            if let Some(groups) = self.groups.as_ref().filter(|_| left == 1) {
                // SAFETY: the host's object.
                unsafe { groups.finishGroupEdit() };
            }
        }
        result
    }

    unsafe fn restartComponent(&self, flags: int32) -> tresult {
        // SAFETY: passed on.
        unsafe { self.host.restartComponent(flags) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use nice_plug::wrapper::vst3::vst3::ComWrapper;
    use nice_plug::wrapper::vst3::vst3::Steinberg::{TBool, kResultOk};
    use parking_lot::Mutex;

    /// A host that writes down what it is told.
    #[derive(Default)]
    struct Host {
        heard: Arc<Mutex<Vec<&'static str>>>,
    }

    impl Host {
        fn hear(&self, what: &'static str) -> tresult {
            self.heard.lock().push(what);
            kResultOk
        }
    }

    impl Class for Host {
        type Interfaces = (IComponentHandler, IComponentHandler2);
    }

    impl IComponentHandlerTrait for Host {
        unsafe fn beginEdit(&self, _id: ParamID) -> tresult {
            self.hear("begin")
        }
        unsafe fn performEdit(&self, _id: ParamID, _value: ParamValue) -> tresult {
            self.hear("perform")
        }
        unsafe fn endEdit(&self, _id: ParamID) -> tresult {
            self.hear("end")
        }
        unsafe fn restartComponent(&self, _flags: int32) -> tresult {
            self.hear("restart")
        }
    }

    impl IComponentHandler2Trait for Host {
        unsafe fn setDirty(&self, _state: TBool) -> tresult {
            self.hear("dirty")
        }
        unsafe fn requestOpenEditor(
            &self,
            _name: nice_plug::wrapper::vst3::vst3::Steinberg::FIDString,
        ) -> tresult {
            self.hear("open")
        }
        unsafe fn startGroupEdit(&self) -> tresult {
            self.hear("start group")
        }
        unsafe fn finishGroupEdit(&self) -> tresult {
            self.hear("finish group")
        }
    }

    #[test]
    fn a_loaded_patch_is_one_group() {
        let host = ComWrapper::new(Host::default());
        let heard = host.heard.clone();
        let door = Arc::new(Door::default());
        let grouping = Grouping::new(
            host.to_com_ptr::<IComponentHandler>().expect("it has it"),
            host.to_com_ptr::<IComponentHandler2>(),
            door.clone(),
        );
        let edit = |id| {
            // SAFETY: the host is ours.
            unsafe {
                grouping.beginEdit(id);
                grouping.performEdit(id, 0.5);
                grouping.endEdit(id);
            }
        };
        let told = |heard: &Arc<Mutex<Vec<&'static str>>>| {
            let all = std::mem::take(&mut *heard.lock());
            all.into_iter()
                .filter(|what| *what != "perform")
                .collect::<Vec<_>>()
        };
        edit(1);
        assert_eq!(told(&heard), ["begin", "end"]);
        door.group_edits(3);
        (0..3).for_each(edit);
        edit(4);
        assert_eq!(
            told(&heard),
            [
                "start group",
                "begin",
                "end",
                "begin",
                "end",
                "begin",
                "end",
                "finish group",
                "begin",
                "end"
            ]
        );
        // One that breaks off doesn't swallow the next.
        door.group_edits(3);
        edit(1);
        door.group_edits(2);
        (0..2).for_each(edit);
        let told = told(&heard);
        assert_eq!(told[3..5], ["finish group", "start group"]);
        assert_eq!(told.last(), Some(&"finish group"));
    }
}
