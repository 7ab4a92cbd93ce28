/* Double precision: Newton's method, a triple integral, a logistic map and conversions, printed in full. */
#include <math.h>
#include <stdint.h>
#include <stdio.h>

static double newton(double target) {
  double x = target;
  for (int i = 0; i < 12; i++) x = 0.5 * (x + target / x);
  return x;
}

static double integrate(int steps) {
  double sum = 0.0;
  for (int i = 0; i < steps; i++) {
    const double x = (i + 0.5) / steps;
    sum += exp(-x * x) * fma(x, 3.0, -1.0) - fabs(sin(10.0 * x));
  }
  return sum / steps;
}

static double logistic(int turns) {
  double x = 0.3141592653589793;
  for (int i = 0; i < turns; i++) x = 3.999 * x * (1.0 - x);
  return x;
}

int main(void) {
  for (int i = 1; i <= 5; i++) printf("%.17g %.17g\n", newton(i * 7.3), sqrt(i * 7.3));
  printf("%.17g\n%.17g\n", integrate(500), logistic(2000));
  double power = 1.0;
  for (int i = 0; i < 1100; i++) power *= 0.5;
  printf("%g %g %.17g\n", power, 1.0 / 0.0 + power, ldexp(1.0, -1060) / 3.0);
  for (int i = -3; i <= 3; i++) {
    const double x = i * 1234567.75;
    printf("%d %u %.9g %.1f %.1f %.1f %.1f\n", (int)x, (unsigned)fabs(x), (double)(float)x, floor(x), ceil(x), rint(x), round(x));
  }
  printf("%.17g %.17g\n", fmax(1.5, NAN), fmin(-0.0, 0.25));
  return 0;
}
