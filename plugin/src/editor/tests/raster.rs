//! A renderer without a screen: draws egui's triangles into memory.

use std::collections::HashMap;

use egui::epaint::{ClippedPrimitive, Mesh, Primitive, Vertex};
use egui::{Color32, ColorImage, ImageData, Rect, TextureId, TexturesDelta, pos2};

/// The textures that egui has made so far.
#[derive(Default)]
pub struct Textures(HashMap<TextureId, ColorImage>);

impl Textures {
    /// Takes over new and changed textures.
    pub fn take(&mut self, delta: &mut TexturesDelta) {
        for (id, images) in delta.set.drain() {
            for image in images {
                let ImageData::Color(part) = &image.image;
                match image.pos {
                    None => drop(self.0.insert(id, (**part).clone())),
                    Some([x, y]) => {
                        let whole = self.0.get_mut(&id).expect("a whole texture comes first");
                        let [width, height] = part.size;
                        for row in 0..height {
                            let to = (y + row) * whole.size[0] + x;
                            let line = &part.pixels[row * width..][..width];
                            whole.pixels[to..][..width].copy_from_slice(line);
                        }
                    }
                }
            }
        }
        delta.free.clear();
    }

    /// The value of a texture between its pixels, 0 to 1.
    fn at(&self, id: TextureId, u: f32, v: f32) -> [f32; 4] {
        let image = &self.0[&id];
        let [width, height] = image.size;
        let place = |x: f32, size: usize| (x * size as f32 - 0.5).clamp(0.0, (size - 1) as f32);
        let (x, y) = (place(u, width), place(v, height));
        let (left, top) = (x as usize, y as usize);
        let (right, below) = ((left + 1).min(width - 1), (top + 1).min(height - 1));
        let (s, t) = (x.fract(), y.fract());
        let pixel = |x: usize, y: usize| channels(image.pixels[y * width + x]);
        let [a, b] = [pixel(left, top), pixel(right, top)];
        let [c, d] = [pixel(left, below), pixel(right, below)];
        std::array::from_fn(|k| {
            let above = a[k] + s * (b[k] - a[k]);
            above + t * (c[k] + s * (d[k] - c[k]) - above)
        })
    }
}

fn channels(colour: Color32) -> [f32; 4] {
    colour.to_array().map(|x| f32::from(x) / 255.0)
}

/// Draws what egui has tessellated onto black, `size` pixels large.
pub fn draw(
    primitives: &[ClippedPrimitive],
    textures: &Textures,
    size: [usize; 2],
    pixels_per_point: f32,
) -> Vec<[u8; 3]> {
    let mut pixels = vec![[0.0f32; 3]; size[0] * size[1]];
    for clipped in primitives {
        if let Primitive::Mesh(mesh) = &clipped.primitive {
            let clip = clipped.clip_rect * pixels_per_point;
            for corners in mesh.indices.chunks_exact(3) {
                let corners = [0, 1, 2].map(|k| mesh.vertices[corners[k] as usize]);
                triangle(
                    &corners,
                    mesh,
                    clip,
                    textures,
                    pixels_per_point,
                    size,
                    &mut pixels,
                );
            }
        }
    }
    let byte = |x: f32| (255.0 * x.clamp(0.0, 1.0)).round() as u8;
    pixels.into_iter().map(|pixel| pixel.map(byte)).collect()
}

fn triangle(
    corners: &[Vertex; 3],
    mesh: &Mesh,
    clip: Rect,
    textures: &Textures,
    ratio: f32,
    size: [usize; 2],
    pixels: &mut [[f32; 3]],
) {
    let at = corners.map(|corner| corner.pos * ratio);
    let twice = |a: egui::Pos2, b: egui::Pos2, c: egui::Pos2| {
        (b.x - a.x) * (c.y - a.y) - (b.y - a.y) * (c.x - a.x)
    };
    let area = twice(at[0], at[1], at[2]);
    if area == 0.0 {
        return;
    }
    let bounds = Rect::from_points(&at).intersect(clip);
    let span = |low: f32, high: f32, most: usize| {
        (low.max(0.0).floor() as usize)..(high.ceil().max(0.0) as usize).min(most)
    };
    for y in span(bounds.top(), bounds.bottom(), size[1]) {
        for x in span(bounds.left(), bounds.right(), size[0]) {
            let point = pos2(x as f32 + 0.5, y as f32 + 0.5);
            if !clip.contains(point) {
                continue;
            }
            let shares = [
                twice(at[1], at[2], point) / area,
                twice(at[2], at[0], point) / area,
                twice(at[0], at[1], point) / area,
            ];
            if shares.iter().any(|&share| share < 0.0) {
                continue;
            }
            let mix = |value: &dyn Fn(&Vertex) -> f32| -> f32 {
                corners
                    .iter()
                    .zip(shares)
                    .map(|(corner, share)| share * value(corner))
                    .sum()
            };
            let texel = textures.at(mesh.texture_id, mix(&|v| v.uv.x), mix(&|v| v.uv.y));
            let colour: [f32; 4] =
                std::array::from_fn(|k| texel[k] * mix(&|v| channels(v.color)[k]));
            let pixel = &mut pixels[y * size[0] + x];
            for k in 0..3 {
                pixel[k] = colour[k] + pixel[k] * (1.0 - colour[3]);
            }
        }
    }
}
