#!/bin/sh
# Makes the sounds of this folder, a quarter of a second of 440 Hz (long.ogg: three seconds), by encoders of others:
# needs flac, and ffmpeg with libmp3lame, libvorbis and libopus. Run it in this folder.
set -e
make() {
    ffmpeg -v error -y -f lavfi -i "sine=frequency=440:sample_rate=$1:duration=${4:-0.25},volume=4" \
        -fflags +bitexact -flags:a +bitexact -map_metadata -1 $2 "$3"
}
make 8000 "-c:a pcm_s16le" tone.wav
make 8000 "-af pan=stereo|c0=c0|c1=c0 -c:a pcm_s24le" tone-24.wav
for name in tone tone-24; do
    flac -s -f --no-padding -b 256 -o $name.flac $name.wav
done
rm tone-24.wav
make 8000 "-c:a libmp3lame -b:a 32k" tone.mp3
make 8000 "-c:a libvorbis -q:a 2" tone.ogg
make 8000 "-c:a libvorbis -q:a 0 -page_duration 500000" long.ogg 3
make 8000 "-c:a pcm_s24be" tone.caf
make 8000 "-c:a alac" tone-alac.caf
make 8000 "-c:a pcm_s16be" tone.aiff
make 8000 "-c:a pcm_f32be -f aiff" tone-f32.aifc
make 8000 "-c:a adpcm_ms" tone-ms.wav
make 8000 "-c:a adpcm_ima_wav" tone-ima.wav
make 8000 "-c:a libmp3lame -b:a 32k -f wav" tone-mp3.wav
make 8000 "-c:a libopus -b:a 16k -f ogg" opus.ogg
make 8000 "-c:a aac -b:a 32k" aac.m4a
make 8000 "-c:a pcm_s16le -f w64" wave.w64
make 8000 "-c:a pcm_s16be -f au" sun.au
