//! Adam with decoupled weight decay (Loshchilov & Hutter 2019) over one flat vector, with a running
//! average of the weights. Ours, because tch can't save its optimisers' moments.

use super::recipe::AdamSettings;
use tch::nn::VarStore;
use tch::{Device, Kind, Tensor, no_grad};

/// The optimiser of one network.
pub struct Adam {
    vars: Vec<Tensor>,
    weights: Tensor,
    mean: Tensor,
    square: Tensor,
    average: Tensor,
    steps: i64,
    settings: AdamSettings,
    trained: bool,
}

/// The training diverged: a gradient is not finite.
#[derive(Debug, thiserror::Error)]
#[error(
    "the gradient of step {0} is not finite: the training diverged. Resume from the last checkpoint, or train with another seed"
)]
pub struct Diverged(pub i64);

impl Adam {
    /// An optimiser of every trainable variable of `store`. Where its weights have been `trained`
    /// before, it begins with small steps and averages over the weights that it begins with, too.
    pub fn new(store: &VarStore, settings: AdamSettings, trained: bool) -> Self {
        let vars = store.trainable_variables();
        let weights = flatten(&vars).detach();
        let (mean, square) = (weights.zeros_like(), weights.zeros_like());
        Self {
            average: weights.copy(),
            vars,
            weights,
            mean,
            square,
            steps: 0,
            settings,
            trained,
        }
    }

    /// Begins with the flat weights `weights`.
    pub fn begin(&mut self, weights: &Tensor) {
        no_grad(|| {
            self.weights.copy_(weights);
            self.average.copy_(weights);
            unflatten(&self.weights, &mut self.vars);
        });
    }

    /// One step against the gradient of `loss` at rate `lr`; only this network's weights move.
    pub fn step(&mut self, loss: &Tensor, lr: f64) -> Result<(), Diverged> {
        let gradients = Tensor::run_backward(&[loss], &self.vars, false, false);
        self.descend(&flatten(&gradients), lr)
    }

    /// One step against the flat gradient `g` at rate `lr`.
    pub fn descend(&mut self, g: &Tensor, lr: f64) -> Result<(), Diverged> {
        self.steps += 1;
        let AdamSettings {
            beta1,
            beta2,
            epsilon,
            weight_decay,
            clip,
            average,
            rise,
        } = self.settings;
        no_grad(|| {
            let norm = g.norm().double_value(&[]);
            if !norm.is_finite() {
                return Err(Diverged(self.steps));
            }
            let g = g * (clip / norm.max(clip));
            let t = self.steps as f64;
            let _ = self.mean.g_mul_scalar_(beta1).g_add_(&(&g * (1.0 - beta1)));
            let _ = self
                .square
                .g_mul_scalar_(beta2)
                .g_add_(&(&g * &g * (1.0 - beta2)));
            let scale = (&self.square / (1.0 - beta2.powf(t))).sqrt() + epsilon;
            let memory = 1.0 - 1.0 / average;
            let (rise, keep) = match self.trained {
                true => ((t / rise).min(1.0), memory),
                false => (1.0, memory.min(t / (t + 9.0))),
            };
            let lr = lr * rise;
            let step = &self.mean / scale * (lr / (1.0 - beta1.powf(t)));
            let _ = self
                .weights
                .g_mul_scalar_(1.0 - lr * weight_decay)
                .g_sub_(&step);
            let _ = self
                .average
                .g_mul_scalar_(keep)
                .g_add_(&(&self.weights * (1.0 - keep)));
            unflatten(&self.weights, &mut self.vars);
            Ok(())
        })
    }

    /// The weights, flat.
    pub fn weights(&self) -> &Tensor {
        &self.weights
    }

    /// The averaged weights, flat.
    pub fn average(&self) -> &Tensor {
        &self.average
    }

    /// Everything a checkpoint needs, by name.
    pub fn state(&self, network: &str) -> Vec<(String, Tensor)> {
        [
            ("weights", &self.weights),
            ("mean", &self.mean),
            ("square", &self.square),
            ("average", &self.average),
        ]
        .into_iter()
        .map(|(name, t)| (format!("{network}.{name}"), t.to_device(Device::Cpu)))
        .chain([(
            format!("{network}.steps"),
            Tensor::from_slice(&[self.steps]),
        )])
        .collect()
    }

    /// Takes over what [`Adam::state`] gave; `get` finds a tensor by name. The error says what does
    /// not fit.
    pub fn restore(
        &mut self,
        network: &str,
        get: impl Fn(&str) -> Option<Tensor>,
    ) -> Result<(), String> {
        let find = |name: &str| {
            let name = format!("{network}.{name}");
            get(&name).ok_or_else(|| format!("{name} is missing"))
        };
        for (name, to) in [
            ("weights", &mut self.weights),
            ("mean", &mut self.mean),
            ("square", &mut self.square),
            ("average", &mut self.average),
        ] {
            let from = find(name)?;
            if from.size() != to.size() || from.kind() != Kind::Float {
                return Err(format!(
                    "{network}.{name} has {:?} numbers, this version's network {:?}",
                    from.size(),
                    to.size()
                ));
            }
            to.copy_(&from);
        }
        self.steps = find("steps")?.int64_value(&[0]);
        no_grad(|| unflatten(&self.weights, &mut self.vars));
        Ok(())
    }
}

/// Tensors as one vector.
pub fn flatten(tensors: &[Tensor]) -> Tensor {
    Tensor::cat(
        &tensors.iter().map(|t| t.flatten(0, -1)).collect::<Vec<_>>(),
        0,
    )
}

fn unflatten(flat: &Tensor, vars: &mut [Tensor]) {
    let mut at = 0;
    for var in vars {
        let n = var.numel() as i64;
        var.copy_(&flat.narrow(0, at, n).view_as(var));
        at += n;
    }
}

/// Puts flat weights into the variables of `store`, which must be of the same network.
pub fn load_flat(store: &VarStore, flat: &Tensor) {
    no_grad(|| unflatten(flat, &mut store.trainable_variables()));
}
