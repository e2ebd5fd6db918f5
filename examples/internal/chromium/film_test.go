package chromium

import (
	"bytes"
	"image"
	"image/color"
	"image/gif"
	"image/png"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

func TestFilm(t *testing.T) {
	picture := image.NewRGBA(image.Rect(0, 0, 40, 30))
	shot := func() []byte {
		var file bytes.Buffer
		require.NoError(t, png.Encode(&file, picture))
		return file.Bytes()
	}
	f := &Film{}
	require.NoError(t, f.Add(shot(), time.Second))
	picture.SetRGBA(10, 7, color.RGBA{200, 0, 0, 255})
	picture.SetRGBA(12, 9, color.RGBA{0, 200, 0, 255})
	require.NoError(t, f.Add(shot(), 2*time.Second))
	require.NoError(t, f.Add(shot(), time.Second))
	require.Error(t, f.Add([]byte("no picture"), time.Second))

	file, err := f.GIF()
	require.NoError(t, err)
	read, err := gif.DecodeAll(bytes.NewReader(file))
	require.NoError(t, err)
	require.Equal(t, []int{100, 200, 100}, read.Delay)
	require.Equal(t, image.Rect(10, 7, 13, 10), read.Image[1].Bounds(), "only what differs is stored")
	require.Equal(t, image.Rect(0, 0, 1, 1), read.Image[2].Bounds())
	r, g, _, _ := read.Image[1].At(12, 9).RGBA()
	require.Equal(t, []uint32{0, 200 * 0x101}, []uint32{r, g})
}
