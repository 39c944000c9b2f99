import torch
import torch.nn as nn
import torch.nn.functional as F


class Stage(nn.Module):
    def __init__(self, cin, cout):
        super().__init__()
        self.a = nn.Conv2d(cin, cout, 3, padding=1)
        self.na = nn.BatchNorm2d(cout)
        self.b = nn.Conv2d(cout, cout, 3, padding=1)
        self.nb = nn.BatchNorm2d(cout)

    def forward(self, x):
        x = F.relu(self.na(self.a(x)))
        return F.relu(self.nb(self.b(x)))


class Net(nn.Module):
    def __init__(self, cin=3, w=14):
        super().__init__()
        self.s1 = Stage(cin, w)
        self.s2 = Stage(w, 2 * w)
        self.s3 = Stage(2 * w, 4 * w)
        self.t2 = Stage(6 * w, 2 * w)
        self.t1 = Stage(3 * w, w)
        self.last = nn.Conv2d(w, 1, 1)

    def forward(self, x):
        a = self.s1(x)
        b = self.s2(F.max_pool2d(a, 2))
        c = F.dropout(self.s3(F.max_pool2d(b, 2)), p=0.2, training=self.training)
        c = F.interpolate(c, scale_factor=2, mode="bilinear", align_corners=True)
        d = self.t2(torch.cat([c, b], 1))
        d = F.interpolate(d, scale_factor=2, mode="bilinear", align_corners=True)
        return self.last(self.t1(torch.cat([d, a], 1)))
