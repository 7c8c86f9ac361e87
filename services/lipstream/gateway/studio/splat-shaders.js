/** What the graphics card computes: the steps and constants of docs/splats.md. */

/** Triangles fade in over this range of cosines above the cull threshold, so none pops. */
export const FADE_COSINE = 0.06;
/** Of the picture's width: over this way from its sides, the torso stays behind the head. */
const HELD = 0.15;
/** Texels in a row of every texture that holds a table. */
export const ROW = 1024;

const HEAD = `#version 300 es
precision highp float;
precision highp int;
precision highp sampler2D;
precision highp usampler2D;
precision highp sampler2DArray;
`;

/** A splat's quad, which encloses the ellipse on which its opacity falls to 1/255. */
export const SPLAT_VERTEX = (tints) => `${HEAD}
uniform usampler2D order;     // splats, nearest first
uniform sampler2D vertices;   // mm, camera frame
uniform usampler2D triangles; // corners
uniform sampler2D places;     // triangle, where on it
uniform sampler2D axes;       // L00, L10, L11
uniform sampler2D colors;     // sRGB, opacity
uniform sampler2DArray tints; // sRGB at weight 1
uniform float tintWeights[${tints}];
uniform float sizePx, focalPx, lowPassPx2, cullCosine;
out vec2 fromCentre; // px
flat out vec3 conic; // of the inverse covariance, times -1/2
flat out vec4 paint; // sRGB, opacity

ivec2 texel(uint i) { return ivec2(i % ${ROW}u, i / ${ROW}u); }

vec3 corner(uint i) { return texelFetch(vertices, texel(i), 0).xyz; }

void main() {
  gl_Position = vec4(2.0, 2.0, 2.0, 1.0); // nowhere
  uint nth = uint(gl_VertexID) >> 2;
  ivec2 at = texel(texelFetch(order, texel(nth >> 2), 0)[nth & 3u]);
  vec3 place = texelFetch(places, at, 0).xyz;
  uvec3 ids = texelFetch(triangles, texel(uint(place.x)), 0).xyz;
  vec3 a = corner(ids.x), u = corner(ids.y) - a, v = corner(ids.z) - a;

  vec3 normal = cross(u, v), middle = a + (u + v) / 3.0;
  float cosine = -dot(normal, middle) / (length(normal) * length(middle) + 1e-20);
  paint = texelFetch(colors, at, 0);
  paint.a *= clamp((cosine - cullCosine) / ${FADE_COSINE}, 0.0, 1.0);
  float reach = 2.0 * log(paint.a * 255.0); // in standard deviations, squared
  if (!(reach > 0.0)) return;
  for (int j = 0; j < ${tints}; j++) {
    if (tintWeights[j] != 0.0) {
      paint.rgb += tintWeights[j] * texelFetch(tints, ivec3(at, j), 0).rgb;
    }
  }

  vec3 centre = a + place.y * u + place.z * v;
  vec2 seen = centre.xy / centre.z;
  float scale = focalPx / centre.z;
  vec2 ju = scale * (u.xy - seen * u.z), jv = scale * (v.xy - seen * v.z);
  vec3 lower = texelFetch(axes, at, 0).xyz;
  vec2 p = ju * lower.x + jv * lower.y, q = jv * lower.z;
  float xx = p.x * p.x + q.x * q.x + lowPassPx2;
  float xy = p.x * p.y + q.x * q.y;
  float yy = p.y * p.y + q.y * q.y + lowPassPx2;
  conic = vec3(yy, -2.0 * xy, xx) * (-0.5 / (xx * yy - xy * xy));

  vec2 side = vec2(gl_VertexID & 1, (gl_VertexID >> 1) & 1) * 2.0 - 1.0;
  fromCentre = side * sqrt(reach * vec2(xx, yy));
  vec2 onPicture = 2.0 * (focalPx * seen + fromCentre) / sizePx;
  gl_Position = vec4(onPicture.x, -onPicture.y, 0.0, 1.0);
}`;

/** Blended nearest first, under what is there: colour times alpha, and alpha. */
export const SPLAT_FRAGMENT = `${HEAD}
in vec2 fromCentre;
flat in vec3 conic;
flat in vec4 paint;
out vec4 color;

void main() {
  vec2 d = fromCentre;
  float power = conic.x * d.x * d.x + conic.y * d.x * d.y + conic.z * d.y * d.y;
  float alpha = min(paint.a * exp(power), 0.999);
  if (alpha < 1.0 / 255.0) discard;
  color = vec4(paint.rgb * alpha, alpha);
}`;

/** One triangle over the whole picture. */
export const PICTURE_VERTEX = `${HEAD}
void main() {
  gl_Position = vec4(vec2(gl_VertexID & 1, gl_VertexID >> 1) * 4.0 - 1.0, 0.0, 1.0);
}`;

/** The splats before the plate: a picture, or the person before a colour, or nothing. */
export const PICTURE_FRAGMENT = `${HEAD}
uniform sampler2D splats;
uniform sampler2D plate;
uniform sampler2D person;  // its alpha says what moves
uniform vec2 torso;        // where it is: right, down, in picture widths
uniform vec4 behind;  // where the plate is transparent; alpha 0 or 1
uniform float sizePx;
uniform vec4 shown;   // of the plate: left, top, width, height
out vec4 color;

void main() {
  vec2 at = gl_FragCoord.xy / sizePx;
  // At the picture's sides the torso stays: nothing is known of it beyond them.
  float share = smoothstep(0.0, ${HELD}, min(at.x, 1.0 - at.x));
  vec2 here = shown.xy + shown.zw * vec2(at.x, 1.0 - at.y);
  vec2 there = here - shown.zw * share * torso;
  // Where the torso was, and is no more, there is what it left behind beside it.
  float moves = max(texture(person, here).a, texture(person, there).a);
  vec4 stage = mix(texture(plate, here), texture(plate, there), moves);
  vec4 front = texelFetch(splats, ivec2(gl_FragCoord.xy), 0);
  vec4 back = mix(behind, vec4(stage.rgb, 1.0), stage.a); // black where it is clear: times alpha
  color = front + (1.0 - front.a) * back;
}`;
